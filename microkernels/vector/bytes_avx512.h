// Vectors of 64 bytes: four columns of points interleaved for products of four, and back to memory.
#pragma once

#include "microkernels/vector/elements_avx512.h"

namespace cortex {
namespace {

constexpr int element = 1, points = 4 * lanes;  // in a vector

using Narrow = __m512i;
CORTEX_INLINE Narrow load_vector(const char* p) { return _mm512_loadu_si512(p); }
CORTEX_INLINE void store_vector(char* p, Narrow x) { _mm512_storeu_si512(p, x); }
CORTEX_INLINE Narrow splat_byte(int x) { return _mm512_set1_epi8(static_cast<char>(x)); }
CORTEX_INLINE Narrow flip(Narrow x, Narrow bits) { return _mm512_xor_si512(x, bits); }

// Two columns side by side, their first and second eight points of each block of 16.
struct Pair {
  Narrow low, high;
  CORTEX_INLINE Pair(Narrow x, Narrow y)
      : low(_mm512_unpacklo_epi8(x, y)), high(_mm512_unpackhi_epi8(x, y)) {}
};
// Of four columns, 64 points each: lane 4*l + i of a[q] holds point 16*l + 4*q + i of all four.
CORTEX_INLINE void interleave(const Pair& x, const Pair& y, Vec (&a)[4]) {
  a[0] = _mm512_castsi512_ps(_mm512_unpacklo_epi16(x.low, y.low));
  a[1] = _mm512_castsi512_ps(_mm512_unpackhi_epi16(x.low, y.low));
  a[2] = _mm512_castsi512_ps(_mm512_unpacklo_epi16(x.high, y.high));
  a[3] = _mm512_castsi512_ps(_mm512_unpackhi_epi16(x.high, y.high));
}
CORTEX_INLINE void interleave(Narrow x0, Narrow x1, Narrow x2, Narrow x3, Vec (&a)[4]) {
  interleave(Pair(x0, x1), Pair(x2, x3), a);
}

// v, interleaved as above, point by point.
CORTEX_INLINE void store_in_order(float* to, const Vec (&v)[4]) {
  CORTEX_UNROLL
  for (int q = 0; q < 4; ++q) {
    unroll<4>([&](auto l)
                  CORTEX_LAMBDA { _mm_storeu_ps(to + 16 * l + 4 * q, _mm512_extractf32x4_ps(v[q], l)); });
  }
}

// The first n points of v as elements of one byte: packing puts them in order.
template <int Type>
CORTEX_INLINE void store_bytes(char* p, int64_t n, const Vec (&v)[4], int32_t zero_point) {
  const __m512i zero = _mm512_set1_epi16(static_cast<int16_t>(zero_point));
  const auto whole = [](Vec x) CORTEX_LAMBDA { return _mm512_cvtps_epi32(min(splat(1073741824.0f), x)); };
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(whole(v[0]), whole(v[1])), zero);
  const __m512i high = _mm512_adds_epi16(_mm512_packs_epi32(whole(v[2]), whole(v[3])), zero);
  const __m512i all =
      Type == CORTEX_ELEMENT_U8 ? _mm512_packus_epi16(low, high) : _mm512_packs_epi16(low, high);
  if (n >= points) {
    _mm512_storeu_si512(p, all);
  } else {
    _mm512_mask_storeu_epi8(p, (__mmask64{1} << n) - 1, all);
  }
}

// Element i of a vector at p where its bit is set, else of `otherwise`.
CORTEX_INLINE Narrow load_elements(uint64_t bits, const char* p, Narrow otherwise) {
  return _mm512_mask_loadu_epi8(otherwise, bits, p);
}
// Quarters 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_images(Narrow low, Narrow high) { return _mm512_shuffle_i64x2(low, high, 0x88); }
// Elements 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_elements(Narrow low, Narrow high) {
  const __m512i byte = _mm512_set1_epi16(0xff);
  const __m512i packed = _mm512_packus_epi16(_mm512_and_si512(low, byte), _mm512_and_si512(high, byte));
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
}

}  // namespace
}  // namespace cortex
