// Vectors of 32 bytes: four columns of points interleaved for products of four, and back to memory.
#pragma once

#include <string.h>

#include "microkernels/vector/elements_avx2.h"

namespace cortex {
namespace {

constexpr int element = 1, points = 4 * lanes;  // in a vector

using Narrow = __m256i;
CORTEX_INLINE Narrow load_vector(const char* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
CORTEX_INLINE void store_vector(char* p, Narrow x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
CORTEX_INLINE Narrow splat_byte(int x) { return _mm256_set1_epi8(static_cast<char>(x)); }
CORTEX_INLINE Narrow flip(Narrow x, Narrow bits) { return _mm256_xor_si256(x, bits); }

// Two columns side by side, their first and second eight points of each block of 16.
struct Pair {
  Narrow low, high;
  CORTEX_INLINE Pair(Narrow x, Narrow y)
      : low(_mm256_unpacklo_epi8(x, y)), high(_mm256_unpackhi_epi8(x, y)) {}
};
// Of four columns, 32 points each: lane 4*l + i of a[q] holds point 16*l + 4*q + i of all four.
CORTEX_INLINE void interleave(const Pair& x, const Pair& y, Vec (&a)[4]) {
  a[0] = _mm256_castsi256_ps(_mm256_unpacklo_epi16(x.low, y.low));
  a[1] = _mm256_castsi256_ps(_mm256_unpackhi_epi16(x.low, y.low));
  a[2] = _mm256_castsi256_ps(_mm256_unpacklo_epi16(x.high, y.high));
  a[3] = _mm256_castsi256_ps(_mm256_unpackhi_epi16(x.high, y.high));
}
CORTEX_INLINE void interleave(Narrow x0, Narrow x1, Narrow x2, Narrow x3, Vec (&a)[4]) {
  interleave(Pair(x0, x1), Pair(x2, x3), a);
}

// The first 8 * Q points of four columns, Q = 1, 2 or 4, and no others are read. Below 32 points they stay in
// order: lane i of a[q] holds point 8*q + i.
template <int Q>
CORTEX_INLINE void interleave_first(const char* x0, const char* x1, const char* x2, const char* x3,
                                    Vec (&a)[Q]) {
  if constexpr (Q == 4) {
    interleave(load_vector(x0), load_vector(x1), load_vector(x2), load_vector(x3), a);
    return;
  }
  const auto part = [](const char* p) CORTEX_LAMBDA {
    const auto* from = reinterpret_cast<const __m128i*>(p);
    return Q == 1 ? _mm_loadl_epi64(from) : _mm_loadu_si128(from);
  };
  const __m128i c0 = part(x0), c1 = part(x1), c2 = part(x2), c3 = part(x3);
  const auto points_of = [](__m128i x, __m128i y) CORTEX_LAMBDA {
    return _mm256_castsi256_ps(_mm256_set_m128i(_mm_unpackhi_epi16(x, y), _mm_unpacklo_epi16(x, y)));
  };
  a[0] = points_of(_mm_unpacklo_epi8(c0, c1), _mm_unpacklo_epi8(c2, c3));
  if constexpr (Q == 2) a[1] = points_of(_mm_unpackhi_epi8(c0, c1), _mm_unpackhi_epi8(c2, c3));
}

// v, interleaved as above, point by point.
CORTEX_INLINE void store_in_order(float* to, const Vec (&v)[4]) {
  CORTEX_UNROLL
  for (int q = 0; q < 4; ++q) {
    _mm_storeu_ps(to + 4 * q, _mm256_castps256_ps128(v[q]));
    _mm_storeu_ps(to + 16 + 4 * q, _mm256_extractf128_ps(v[q], 1));
  }
}

// The first n points of v as elements of one byte: packing puts them in order. Bounded: none of them is 2^31
// or more, which the conversion would take for the smallest integer.
template <int Type, bool Bounded = false>
CORTEX_INLINE void store_bytes(char* p, int64_t n, const Vec (&v)[4], int32_t zero_point) {
  const __m256i zero = _mm256_set1_epi16(static_cast<int16_t>(zero_point));
  const auto whole = [](Vec x) CORTEX_LAMBDA {
    return _mm256_cvtps_epi32(Bounded ? x : min(splat(1073741824.0f), x));
  };
  const __m256i low = _mm256_adds_epi16(_mm256_packs_epi32(whole(v[0]), whole(v[1])), zero);
  const __m256i high = _mm256_adds_epi16(_mm256_packs_epi32(whole(v[2]), whole(v[3])), zero);
  const __m256i all =
      Type == CORTEX_ELEMENT_U8 ? _mm256_packus_epi16(low, high) : _mm256_packs_epi16(low, high);
  if (n >= points) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), all);
    return;
  }
#if defined(__AVX512VL__)
  _mm256_mask_storeu_epi8(p, static_cast<__mmask32>((uint64_t{1} << n) - 1), all);
#else
  char copy[points];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(copy), all);
  memcpy(p, copy, static_cast<size_t>(n));
#endif
}

// Quarters 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_images(Narrow low, Narrow high) {
  return _mm256_permute4x64_epi64(_mm256_unpacklo_epi64(low, high), 0xd8);
}
// Elements 0, 2, ... of two vectors.
CORTEX_INLINE Narrow even_elements(Narrow low, Narrow high) {
  const __m256i byte = _mm256_set1_epi16(0xff);
  const __m256i packed = _mm256_packus_epi16(_mm256_and_si256(low, byte), _mm256_and_si256(high, byte));
  return _mm256_permute4x64_epi64(packed, 0xd8);
}

#if defined(__AVX512VL__)
// Byte i of a vector at p where its bit is set, else of `otherwise`.
CORTEX_INLINE Narrow load_elements(uint64_t bits, const char* p, Narrow otherwise) {
  return _mm256_mask_loadu_epi8(otherwise, static_cast<__mmask32>(bits), p);
}
#endif

}  // namespace
}  // namespace cortex

#if !defined(__AVX512VL__)
#include "microkernels/vector/unmasked.h"
#endif
