// Vectors of 8 bf16 of a panel: two columns interleaved for products of pairs, and back to memory.
#pragma once

#include <string.h>

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

namespace cortex {
namespace {

constexpr int element = 2, points = 2 * lanes;  // in a vector

typedef uint16_t Narrow __attribute__((vector_size(16)));
CORTEX_INLINE Narrow load_vector(const char* p) {
  Narrow x;
  memcpy(&x, p, sizeof x);
  return x;
}
CORTEX_INLINE void store_vector(char* p, Narrow x) { memcpy(p, &x, sizeof x); }
CORTEX_INLINE Narrow splat_byte(int x) { return Narrow{} + static_cast<uint16_t>((x & 0xff) * 0x101); }
CORTEX_INLINE Narrow flip(Narrow x, Narrow bits) { return x ^ bits; }

// Of two columns, 8 points each: lane i of a[q] holds point 4*q + i of both.
CORTEX_INLINE void interleave(const char* column0, const char* column1, Vec (&a)[2]) {
  const Narrow x0 = load_vector(column0), x1 = load_vector(column1);
  a[0] = (Vec)__builtin_shufflevector(x0, x1, 0, 8, 1, 9, 2, 10, 3, 11);
  a[1] = (Vec)__builtin_shufflevector(x0, x1, 4, 12, 5, 13, 6, 14, 7, 15);
}

CORTEX_INLINE void put_in_order(Vec (&)[2]) {}

// The first n points of v as bf16.
CORTEX_INLINE void store_bf16(char* p, int64_t n, const Vec (&v)[2]) {
  for (int q = 0; q < 2 && q * lanes < n; ++q)
    store_first<CORTEX_ELEMENT_BF16>(n - q * lanes < lanes ? n - q * lanes : lanes, p + element * q * lanes,
                                     v[q], 0);
}

// Halves 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_images(Narrow x, Narrow y) {
  return __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
}
// Elements 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_elements(Narrow x, Narrow y) {
  return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14);
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/unmasked.h"
