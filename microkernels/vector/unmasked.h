// Parts of vectors of narrow elements where the ISA has no masks for them. The ISA's header says what Narrow
// are and how a whole vector is loaded.
#pragma once

#include <string.h>

namespace cortex {
namespace {

// Element i of a vector at p where its bit is set, else of `otherwise`.
CORTEX_INLINE Narrow load_elements(uint64_t bits, const char* p, Narrow otherwise) {
  if (bits == (uint64_t{1} << points) - 1) return load_vector(p);
  char copy[element * points];
  store_vector(copy, otherwise);
#pragma GCC unroll 1
  while (bits) {  // pieces of adjacent elements
    const int first = __builtin_ctzll(bits), count = __builtin_ctzll(~(bits >> first));
    memcpy(copy + element * first, p + element * first, static_cast<size_t>(element * count));
    bits &= ~(((uint64_t{1} << count) - 1) << first);
  }
  return load_vector(copy);
}

// See sparse/part_avx512.h: whole vectors alone here.
constexpr bool has_parts = false;
template <int Element, int Bytes, int Step>
CORTEX_INLINE void move_part(char*, const char*, uint64_t, Narrow, Narrow) {}

}  // namespace
}  // namespace cortex
