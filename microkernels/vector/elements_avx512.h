// Elements of C that are no f32: vectors of them from memory as f32 and back. For AVX-512.
#pragma once

#include "cortex/microkernels.h"
#include "microkernels/vector/vector_avx512.h"

namespace cortex {
namespace {

CORTEX_INLINE __m256i to_bf16(Vec x) {
#if defined(__AVX512BF16__)
  return (__m256i)_mm512_cvtneps_pbh(x);
#else
  // To nearest, ties to even; a NaN keeps its sign and turns quiet.
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  const __m512i all = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(all, 16));
#endif
}

// To nearest, ties to even, between bounds that are whole; NaN becomes the smallest.
CORTEX_INLINE __m512i to_whole(Vec x, int32_t low, int32_t high, int32_t zero_point) {
  const Vec least = splat(static_cast<float>(low - zero_point)),
            most = splat(static_cast<float>(high - zero_point));
  const Vec bounded = _mm512_min_ps(_mm512_max_ps(x, least), most);
  return _mm512_add_epi32(_mm512_cvtps_epi32(bounded), _mm512_set1_epi32(zero_point));
}
CORTEX_INLINE __m128i to_u8(Vec x, int32_t zero_point) {
  return _mm512_cvtepi32_epi8(to_whole(x, 0, 255, zero_point));
}
CORTEX_INLINE __m128i to_s8(Vec x, int32_t zero_point) {
  return _mm512_cvtepi32_epi8(to_whole(x, -128, 127, zero_point));
}

// The first n elements of type `type` at p.
CORTEX_INLINE Vec load_as(int32_t type, const char* p, int64_t n) {
  const Mask mask = first_lanes(n);
  switch (type) {
    case CORTEX_ELEMENT_BF16:
      return _mm512_castsi512_ps(
          _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, p)), 16));
    case CORTEX_ELEMENT_S32:
      return _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(mask, p));
    case CORTEX_ELEMENT_U8:
      return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, p)));
    case CORTEX_ELEMENT_S8:
      return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, p)));
    default:
      return load(mask, reinterpret_cast<const float*>(p));
  }
}

template <int Type>
CORTEX_INLINE void store_as(char* p, Vec x, int32_t zero_point) {
  if constexpr (Type == CORTEX_ELEMENT_BF16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), to_bf16(x));
  } else if constexpr (Type == CORTEX_ELEMENT_U8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_u8(x, zero_point));
  } else if constexpr (Type == CORTEX_ELEMENT_S8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), to_s8(x, zero_point));
  } else {
    static_assert(Type == CORTEX_ELEMENT_F32);
    store(reinterpret_cast<float*>(p), x);
  }
}

// The first n.
template <int Type>
CORTEX_INLINE void store_first(int64_t n, char* p, Vec x, int32_t zero_point) {
  const Mask mask = first_lanes(n);
  if constexpr (Type == CORTEX_ELEMENT_BF16) {
    _mm256_mask_storeu_epi16(p, mask, to_bf16(x));
  } else if constexpr (Type == CORTEX_ELEMENT_U8) {
    _mm_mask_storeu_epi8(p, mask, to_u8(x, zero_point));
  } else if constexpr (Type == CORTEX_ELEMENT_S8) {
    _mm_mask_storeu_epi8(p, mask, to_s8(x, zero_point));
  } else if constexpr (Type == CORTEX_ELEMENT_S32) {
    const __mmask16 above = _mm512_cmp_ps_mask(x, splat(2147483648.0f), _CMP_GE_OQ);
    const __m512i whole = _mm512_mask_mov_epi32(_mm512_cvtps_epi32(x), above, _mm512_set1_epi32(INT32_MAX));
    _mm512_mask_storeu_epi32(p, mask, whole);
  } else {
    store(mask, reinterpret_cast<float*>(p), x);
  }
}

// `Count` vectors, 2 to 4, as bytes, in their order.
template <int Type, int Count>
CORTEX_INLINE __m512i joined_bytes(const Vec* v, int32_t zero_point) {
  // Packing interleaves 16-byte parts: the permutation puts dword 4*i + j of four vectors to 4*j + i.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i zero = _mm512_set1_epi16(static_cast<int16_t>(zero_point));
  const auto whole = [](Vec x) CORTEX_LAMBDA { return _mm512_cvtps_epi32(min(splat(1073741824.0f), x)); };
  const __m512i low = _mm512_adds_epi16(_mm512_packs_epi32(whole(v[0]), whole(v[1])), zero);
  __m512i high = low;
  if constexpr (Count > 2) {
    const __m512i third = whole(v[2]), last = Count > 3 ? whole(v[Count - 1]) : third;
    high = _mm512_adds_epi16(_mm512_packs_epi32(third, last), zero);
  }
  return _mm512_permutexvar_epi32(
      order, Type == CORTEX_ELEMENT_U8 ? _mm512_packus_epi16(low, high) : _mm512_packs_epi16(low, high));
}

// The first n bytes of N vectors side by side.
constexpr bool joins_bytes = true;
template <int Type, int N>
CORTEX_INLINE void store_first_bytes(int64_t n, char* p, const Vec (&v)[N], int32_t zero_point) {
  _mm512_mask_storeu_epi8(p, ~__mmask64{0} >> (64 - n), joined_bytes<Type, N>(v, zero_point));
}

// The first n bytes of each of four vectors, to rows of their own.
template <int Type>
CORTEX_INLINE void store_rows_of_bytes(char* p, int64_t pitch, int64_t n, const Vec* v, int32_t zero_point) {
  const __m512i rows = joined_bytes<Type, 4>(v, zero_point);
  const Mask mask = first_lanes(n);
  _mm_mask_storeu_epi8(p, mask, _mm512_castsi512_si128(rows));
  _mm_mask_storeu_epi8(p + pitch, mask, _mm512_extracti32x4_epi32(rows, 1));
  _mm_mask_storeu_epi8(p + 2 * pitch, mask, _mm512_extracti32x4_epi32(rows, 2));
  _mm_mask_storeu_epi8(p + 3 * pitch, mask, _mm512_extracti32x4_epi32(rows, 3));
}

// N whole vectors side by side: joined before they are stored.
template <int Type, int N>
CORTEX_INLINE void store_together(char* p, const Vec (&v)[N], int32_t zero_point) {
  constexpr bool u8 = Type == CORTEX_ELEMENT_U8, s8 = Type == CORTEX_ELEMENT_S8;
  if constexpr (Type == CORTEX_ELEMENT_BF16 && N % 2 == 0) {
    CORTEX_UNROLL
    for (int j = 0; j < N; j += 2) {
#if defined(__AVX512BF16__)
      const __m512i pair = (__m512i)_mm512_cvtne2ps_pbh(v[j + 1], v[j]);
#else
      const __m512i pair = _mm512_inserti64x4(_mm512_castsi256_si512(to_bf16(v[j])), to_bf16(v[j + 1]), 1);
#endif
      _mm512_storeu_si512(p + 32 * j, pair);
    }
  } else if constexpr ((u8 || s8) && (N == 2 || N == 3 || N % 4 == 0)) {
    constexpr int count = N < 4 ? N : 4;
    CORTEX_UNROLL
    for (int j = 0; j < N; j += 4) {
      const __m512i row = joined_bytes<Type, count>(v + j, zero_point);
      if constexpr (count == 4) {
        _mm512_storeu_si512(p + 16 * j, row);
      } else {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_castsi512_si256(row));
        if constexpr (count == 3) {
          _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 32), _mm512_extracti32x4_epi32(row, 2));
        }
      }
    }
  } else {
    constexpr int64_t size = Type == CORTEX_ELEMENT_BF16 ? 2 : Type == CORTEX_ELEMENT_F32 ? 4 : 1;
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) store_as<Type>(p + j * lanes * size, v[j], zero_point);
  }
}

CORTEX_INLINE Vec from_integers(Vec bits) { return _mm512_cvtepi32_ps(_mm512_castps_si512(bits)); }
CORTEX_INLINE Vec add_integers(Vec x, Vec y) {
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), _mm512_castps_si512(y)));
}

}  // namespace
}  // namespace cortex
