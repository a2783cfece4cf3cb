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

// The first 16 * Q points of four columns, Q = 1, 2 or 4, and no others are read. Below 64 points they stay
// in order: lane i of a[q] holds point 16*q + i.
template <int Q>
CORTEX_INLINE void interleave_first(const char* x0, const char* x1, const char* x2, const char* x3,
                                    Vec (&a)[Q]) {
  if constexpr (Q == 4) {
    interleave(load_vector(x0), load_vector(x1), load_vector(x2), load_vector(x3), a);
    return;
  }
  // Four points of every column to each quarter, then the points apart.
  const __m512i points_apart =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  if constexpr (Q == 1) {
    const auto two = [](const char* p, const char* q) CORTEX_LAMBDA {
      const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
      const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
      return _mm512_castsi256_si512(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1));
    };
    const __m512i order = _mm512_setr_epi32(0, 4, 16, 20, 1, 5, 17, 21, 2, 6, 18, 22, 3, 7, 19, 23);
    const __m512i fours = _mm512_permutex2var_epi32(two(x0, x1), order, two(x2, x3));
    a[0] = _mm512_castsi512_ps(_mm512_shuffle_epi8(fours, points_apart));
  }
  if constexpr (Q == 2) {
    const auto half = [](const char* p)
                          CORTEX_LAMBDA { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); };
    const __m512i low = _mm512_inserti64x4(_mm512_castsi256_si512(half(x0)), half(x1), 1);
    const __m512i high = _mm512_inserti64x4(_mm512_castsi256_si512(half(x2)), half(x3), 1);
    const __m512i first = _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
    const __m512i second = _mm512_setr_epi32(4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
    const auto points_of = [&](__m512i order) CORTEX_LAMBDA {
      return _mm512_castsi512_ps(
          _mm512_shuffle_epi8(_mm512_permutex2var_epi32(low, order, high), points_apart));
    };
    a[0] = points_of(first);
    a[1] = points_of(second);
  }
}

// v, interleaved as above, point by point.
CORTEX_INLINE void store_in_order(float* to, const Vec (&v)[4]) {
  CORTEX_UNROLL
  for (int q = 0; q < 4; ++q) {
    unroll<4>([&](auto l)
                  CORTEX_LAMBDA { _mm_storeu_ps(to + 16 * l + 4 * q, _mm512_extractf32x4_ps(v[q], l)); });
  }
}

// The first n points of v as elements of one byte: packing puts them in order. Bounded: none of them is 2^31
// or more, which the conversion would take for the smallest integer.
template <int Type, bool Bounded = false>
CORTEX_INLINE void store_bytes(char* p, int64_t n, const Vec (&v)[4], int32_t zero_point) {
  const __m512i zero = _mm512_set1_epi16(static_cast<int16_t>(zero_point));
  const auto whole = [](Vec x) CORTEX_LAMBDA {
    return _mm512_cvtps_epi32(Bounded ? x : min(splat(1073741824.0f), x));
  };
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
