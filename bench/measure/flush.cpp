#include "bench/measure/flush.h"

#include <emmintrin.h>

#include <cstdint>

namespace cortex::bench {

void flush_from_caches(std::span<const std::byte> range) {
  if (range.empty()) return;
  constexpr std::uintptr_t line = 64;
  const auto first = reinterpret_cast<std::uintptr_t>(range.data()) & ~(line - 1);
  const auto end = reinterpret_cast<std::uintptr_t>(range.data()) + range.size();
  for (std::uintptr_t at = first; at < end; at += line) _mm_clflush(reinterpret_cast<const void*>(at));
  _mm_mfence();
}

}  // namespace cortex::bench
