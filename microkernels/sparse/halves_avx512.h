// Vectors of 32 bf16 of a panel: two columns interleaved for products of pairs, and back to memory.
#pragma once

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/elements_avx512.h"

namespace cortex {
namespace {

constexpr int element = 2, points = 2 * lanes;  // in a vector

// Of two columns, 32 points each: lane 4*l + i of a[q] holds point 8*l + 4*q + i of both.
CORTEX_INLINE void interleave(const char* column0, const char* column1, Vec (&a)[2]) {
  const __m512i x0 = _mm512_loadu_si512(column0), x1 = _mm512_loadu_si512(column1);
  a[0] = _mm512_castsi512_ps(_mm512_unpacklo_epi16(x0, x1));
  a[1] = _mm512_castsi512_ps(_mm512_unpackhi_epi16(x0, x1));
}

// v, interleaved as above, point by point.
CORTEX_INLINE void put_in_order(Vec (&v)[2]) {
  const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
  const Vec low = _mm512_permutex2var_ps(v[0], first, v[1]);
  v[1] = _mm512_permutex2var_ps(v[0], _mm512_add_epi32(first, _mm512_set1_epi32(8)), v[1]);
  v[0] = low;
}

// The first n points of v as bf16.
CORTEX_INLINE void store_bf16(char* p, int64_t n, const Vec (&v)[2]) {
  const __m512i pairs = (__m512i)_mm512_cvtne2ps_pbh(v[1], v[0]);
  const __m512i all = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), pairs);
  if (n >= points) {
    _mm512_storeu_si512(p, all);
  } else {
    _mm512_mask_storeu_epi16(p, (__mmask32{1} << n) - 1, all);
  }
}

using Narrow = __m512i;
CORTEX_INLINE Narrow splat_byte(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
CORTEX_INLINE Narrow load_vector(const char* p) { return _mm512_loadu_si512(p); }
CORTEX_INLINE void store_vector(char* p, Narrow x) { _mm512_storeu_si512(p, x); }
CORTEX_INLINE Narrow flip(Narrow x, Narrow bits) { return _mm512_xor_si512(x, bits); }
// Element i of a vector at p where its bit is set, else of `otherwise`.
CORTEX_INLINE Narrow load_elements(uint64_t bits, const char* p, Narrow otherwise) {
  return _mm512_mask_loadu_epi16(otherwise, static_cast<__mmask32>(bits), p);
}
// Halves 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_images(Narrow low, Narrow high) { return _mm512_shuffle_i64x2(low, high, 0x44); }
// Elements 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_elements(Narrow low, Narrow high) {
  const __m512i word = _mm512_set1_epi32(0xffff);
  const __m512i packed = _mm512_packus_epi32(_mm512_and_si512(low, word), _mm512_and_si512(high, word));
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
}

}  // namespace
}  // namespace cortex
