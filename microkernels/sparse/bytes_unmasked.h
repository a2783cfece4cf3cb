// Parts of vectors of bytes where the ISA has no masks for them. The ISA's header says what Bytes are and how
// a whole vector is loaded.
#pragma once

#include <string.h>

namespace cortex {
namespace {

// Byte i of a vector at p where its bit is set, else of `otherwise`.
CORTEX_INLINE Bytes load_bytes(uint64_t bits, const char* p, Bytes otherwise) {
  if (bits == (uint64_t{1} << points) - 1) return load_vector(p);
  char copy[points];
  store_vector(copy, otherwise);
#pragma GCC unroll 1
  while (bits) {  // pieces of adjacent bytes
    const int first = __builtin_ctzll(bits), count = __builtin_ctzll(~(bits >> first));
    memcpy(copy + first, p + first, static_cast<size_t>(count));
    bits &= ~(((uint64_t{1} << count) - 1) << first);
  }
  return load_vector(copy);
}

}  // namespace
}  // namespace cortex
