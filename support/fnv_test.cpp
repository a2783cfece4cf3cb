#include "support/fnv.h"

#include <gtest/gtest.h>

#include <string>

namespace cortex {
namespace {

// Values from the tables of the FNV-1a specification (draft-eastlake-fnv, 64 bits).
TEST(Fnv, MatchesPublishedVectors) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8u);
}

TEST(Fnv, DecimalEqualsText) {
  for (const uint64_t v : {uint64_t{0}, uint64_t{7}, uint64_t{10}, uint64_t{1234567}, ~uint64_t{0}}) {
    EXPECT_EQ(fnv1a_decimal(v, fnv1a("x")), fnv1a(std::to_string(v), fnv1a("x")));
  }
  EXPECT_EQ(kernel_entry_hash("key", "avx512", 12), fnv1a("key\navx512\n12"));
}

}  // namespace
}  // namespace cortex
