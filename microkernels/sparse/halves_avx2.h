// Vectors of 16 bf16 of a panel: two columns interleaved for products of pairs, and back to memory.
#pragma once

#include <string.h>

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/elements_avx2.h"

namespace cortex {
namespace {

constexpr int element = 2, points = 2 * lanes;  // in a vector

using Narrow = __m256i;
CORTEX_INLINE Narrow load_vector(const char* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
CORTEX_INLINE void store_vector(char* p, Narrow x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
CORTEX_INLINE Narrow splat_byte(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
CORTEX_INLINE Narrow flip(Narrow x, Narrow bits) { return _mm256_xor_si256(x, bits); }

// Of two columns, 16 points each: lane 4*l + i of a[q] holds point 8*l + 4*q + i of both.
CORTEX_INLINE void interleave(const char* column0, const char* column1, Vec (&a)[2]) {
  const __m256i x0 = load_vector(column0), x1 = load_vector(column1);
  a[0] = _mm256_castsi256_ps(_mm256_unpacklo_epi16(x0, x1));
  a[1] = _mm256_castsi256_ps(_mm256_unpackhi_epi16(x0, x1));
}

// v, interleaved as above, point by point.
CORTEX_INLINE void put_in_order(Vec (&v)[2]) {
  const Vec low = _mm256_permute2f128_ps(v[0], v[1], 0x20);
  v[1] = _mm256_permute2f128_ps(v[0], v[1], 0x31);
  v[0] = low;
}

// The first n points of v as bf16: packing puts them in order.
CORTEX_INLINE void store_bf16(char* p, int64_t n, const Vec (&v)[2]) {
  const __m256i all = _mm256_packus_epi32(to_bf16_words(v[0]), to_bf16_words(v[1]));
  if (n >= points) return store_vector(p, all);
  char copy[element * points];
  store_vector(copy, all);
  memcpy(p, copy, static_cast<size_t>(element * n));
}

// Halves 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_images(Narrow low, Narrow high) {
  return _mm256_permute2x128_si256(low, high, 0x20);
}
// Elements 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_elements(Narrow low, Narrow high) {
  const __m256i word = _mm256_set1_epi32(0xffff);
  const __m256i packed = _mm256_packus_epi32(_mm256_and_si256(low, word), _mm256_and_si256(high, word));
  return _mm256_permute4x64_epi64(packed, 0xd8);
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/unmasked.h"
