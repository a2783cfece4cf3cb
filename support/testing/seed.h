// The seed of a random test: CORTEX_TEST_SEED, to repeat a run, or the test's own.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace cortex::testing {

inline uint64_t seed_from_environment(uint64_t otherwise) {
  const char* text = std::getenv("CORTEX_TEST_SEED");
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace cortex::testing
