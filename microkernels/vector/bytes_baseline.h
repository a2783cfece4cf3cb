// Vectors of 16 bytes: four columns of points interleaved for products of four, and back to memory.
#pragma once

#include <string.h>

#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

namespace cortex {
namespace {

constexpr int element = 1, points = 4 * lanes;  // in a vector

typedef char Narrow __attribute__((vector_size(16)));
typedef int16_t Pairs __attribute__((vector_size(16)));
CORTEX_INLINE Narrow load_vector(const char* p) {
  Narrow x;
  memcpy(&x, p, sizeof x);
  return x;
}
CORTEX_INLINE void store_vector(char* p, Narrow x) { memcpy(p, &x, sizeof x); }
CORTEX_INLINE Narrow splat_byte(int x) { return Narrow{} + static_cast<char>(x); }
CORTEX_INLINE Narrow flip(Narrow x, Narrow bits) { return x ^ bits; }

// Two columns side by side, their first and second eight points.
struct Pair {
  Pairs low, high;
  CORTEX_INLINE Pair(Narrow x, Narrow y)
      : low((Pairs)__builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)),
        high((Pairs)__builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                            31)) {}
};
// Of four columns, 16 points each: lane i of a[q] holds point 4*q + i of all four.
CORTEX_INLINE void interleave(const Pair& x, const Pair& y, Vec (&a)[4]) {
  a[0] = (Vec)__builtin_shufflevector(x.low, y.low, 0, 8, 1, 9, 2, 10, 3, 11);
  a[1] = (Vec)__builtin_shufflevector(x.low, y.low, 4, 12, 5, 13, 6, 14, 7, 15);
  a[2] = (Vec)__builtin_shufflevector(x.high, y.high, 0, 8, 1, 9, 2, 10, 3, 11);
  a[3] = (Vec)__builtin_shufflevector(x.high, y.high, 4, 12, 5, 13, 6, 14, 7, 15);
}
CORTEX_INLINE void interleave(Narrow x0, Narrow x1, Narrow x2, Narrow x3, Vec (&a)[4]) {
  interleave(Pair(x0, x1), Pair(x2, x3), a);
}

// The first 4 * Q points of four columns, Q = 1, 2 or 4, in the same order.
template <int Q>
CORTEX_INLINE void interleave_first(const char* x0, const char* x1, const char* x2, const char* x3,
                                    Vec (&a)[Q]) {
  Vec all[4];
  interleave(load_vector(x0), load_vector(x1), load_vector(x2), load_vector(x3), all);
  for (int q = 0; q < Q; ++q) a[q] = all[q];
}

CORTEX_INLINE void store_in_order(float* to, const Vec (&v)[4]) {
  for (int q = 0; q < 4; ++q) store(to + 4 * q, v[q]);
}

// The first n points of v as elements of one byte.
template <int Type, bool Bounded = false>
CORTEX_INLINE void store_bytes(char* p, int64_t n, const Vec (&v)[4], int32_t zero_point) {
  for (int q = 0; q < 4 && 4 * q < n; ++q)
    store_first<Type>(n - 4 * q < lanes ? n - 4 * q : lanes, p + 4 * q, v[q], zero_point);
}

// Quarters 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_images(Narrow x, Narrow y) {
  return __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}
// Elements 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_elements(Narrow x, Narrow y) {
  return __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}

}  // namespace
}  // namespace cortex

#include "microkernels/vector/unmasked.h"
