// Elements of C that are no f32: vectors of them from memory as f32 and back. For AVX2, which has no masks
// for elements below four bytes: the ends of rows go through a small array.
#pragma once

#include <string.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/vector_avx2.h"

namespace cortex {
namespace {

CORTEX_INLINE __m128i halves_of(__m256i words) {  // words below 2^16
  const __m256i packed = _mm256_packus_epi32(words, words);
  return _mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08));
}

CORTEX_INLINE __m128i to_bf16(Vec x) {
  // To nearest, ties to even; a NaN keeps its sign and turns quiet.
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  const Vec nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
  const __m256i all = _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(nan));
  return halves_of(_mm256_srli_epi32(all, 16));
}

// To nearest, ties to even, between bounds that are whole; NaN becomes the smallest.
CORTEX_INLINE __m256i to_whole(Vec x, int32_t low, int32_t high, int32_t zero_point) {
  const Vec least = splat(static_cast<float>(low - zero_point)),
            most = splat(static_cast<float>(high - zero_point));
  const Vec bounded = _mm256_min_ps(_mm256_max_ps(x, least), most);
  return _mm256_add_epi32(_mm256_cvtps_epi32(bounded), _mm256_set1_epi32(zero_point));
}

// Eight bytes, u8 or s8.
template <int Type>
CORTEX_INLINE int64_t to_bytes(Vec x, int32_t zero_point) {
  constexpr bool u8 = Type == CORTEX_ELEMENT_U8;
  const __m256i whole = to_whole(x, u8 ? 0 : -128, u8 ? 255 : 127, zero_point);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
  return _mm_cvtsi128_si64(u8 ? _mm_packus_epi16(words, words) : _mm_packs_epi16(words, words));
}

CORTEX_INLINE __m256i to_s32(Vec x) {
  const Vec above = _mm256_cmp_ps(x, splat(2147483648.0f), _CMP_GE_OQ);
  return _mm256_blendv_epi8(_mm256_cvtps_epi32(x), _mm256_set1_epi32(INT32_MAX), _mm256_castps_si256(above));
}

template <int Type>
constexpr int64_t element_bytes = Type == CORTEX_ELEMENT_BF16                              ? 2
                                  : Type == CORTEX_ELEMENT_U8 || Type == CORTEX_ELEMENT_S8 ? 1
                                                                                           : 4;

template <int Type>
CORTEX_INLINE Vec load_whole(const char* p) {
  if constexpr (Type == CORTEX_ELEMENT_BF16) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
  } else if constexpr (Type == CORTEX_ELEMENT_S32) {
    return _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  } else if constexpr (Type == CORTEX_ELEMENT_U8) {
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  } else if constexpr (Type == CORTEX_ELEMENT_S8) {
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  } else {
    return load(reinterpret_cast<const float*>(p));
  }
}

// The first n elements, zeros after them.
template <int Type>
CORTEX_INLINE Vec load_first(const char* p, int64_t n) {
  if (n == lanes) return load_whole<Type>(p);
  char copy[4 * lanes] = {};
#pragma GCC unroll 1
  for (int64_t i = 0; i < n * element_bytes<Type>; ++i) copy[i] = p[i];
  return load_whole<Type>(copy);
}

CORTEX_INLINE Vec load_as(int32_t type, const char* p, int64_t n) {
  switch (type) {
    case CORTEX_ELEMENT_BF16:
      return load_first<CORTEX_ELEMENT_BF16>(p, n);
    case CORTEX_ELEMENT_S32:
      return load_first<CORTEX_ELEMENT_S32>(p, n);
    case CORTEX_ELEMENT_U8:
      return load_first<CORTEX_ELEMENT_U8>(p, n);
    case CORTEX_ELEMENT_S8:
      return load_first<CORTEX_ELEMENT_S8>(p, n);
    default:
      return load(first_lanes(n), reinterpret_cast<const float*>(p));
  }
}

template <int Type>
CORTEX_INLINE void store_as(char* p, Vec x, int32_t zero_point) {
  if constexpr (Type == CORTEX_ELEMENT_BF16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_bf16(x));
  } else if constexpr (Type == CORTEX_ELEMENT_U8 || Type == CORTEX_ELEMENT_S8) {
    const int64_t bytes = to_bytes<Type>(x, zero_point);
    memcpy(p, &bytes, 8);
  } else if constexpr (Type == CORTEX_ELEMENT_S32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_s32(x));
  } else {
    store(reinterpret_cast<float*>(p), x);
  }
}

// The first n.
template <int Type>
CORTEX_INLINE void store_first(int64_t n, char* p, Vec x, int32_t zero_point) {
  if constexpr (element_bytes<Type> == 4) {
    const Vec bits = Type == CORTEX_ELEMENT_S32 ? _mm256_castsi256_ps(to_s32(x)) : x;
    store(first_lanes(n), reinterpret_cast<float*>(p), bits);
  } else {
    char copy[2 * lanes];
    store_as<Type>(copy, x, zero_point);
#pragma GCC unroll 1
    for (int64_t i = 0; i < n * element_bytes<Type>; ++i) p[i] = copy[i];
  }
}

template <int Type, int N>
CORTEX_INLINE void store_together(char* p, const Vec (&v)[N], int32_t zero_point) {
  CORTEX_UNROLL
  for (int j = 0; j < N; ++j) store_as<Type>(p + j * lanes * element_bytes<Type>, v[j], zero_point);
}

// See elements_avx512.h: vectors are stored one by one here.
constexpr bool joins_bytes = false;
template <int Type, int N>
CORTEX_INLINE void store_first_bytes(int64_t, char*, const Vec (&)[N], int32_t) {}
template <int Type>
CORTEX_INLINE void store_rows_of_bytes(char*, int64_t, int64_t, const Vec*, int32_t) {}

CORTEX_INLINE Vec from_integers(Vec bits) { return _mm256_cvtepi32_ps(_mm256_castps_si256(bits)); }
CORTEX_INLINE Vec add_integers(Vec x, Vec y) {
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), _mm256_castps_si256(y)));
}

}  // namespace
}  // namespace cortex
