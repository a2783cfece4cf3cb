// Runs that fill a quarter or half of a vector of narrow elements move in narrower registers: a store of 64
// bytes takes two of 32, and crosses lines more often.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

constexpr bool has_parts = true;

template <int Bytes>
CORTEX_INLINE auto low_part(__m512i x) {
  if constexpr (Bytes == 16) return _mm512_castsi512_si128(x);
  if constexpr (Bytes == 32) return _mm512_castsi512_si256(x);
  if constexpr (Bytes == 64) return x;
}

// Elements of `Element` bytes at p whose bits are set, else those of `otherwise`.
template <int Element>
CORTEX_INLINE auto load_part(uint64_t bits, const char* p, __m128i otherwise) {
  return Element == 1 ? _mm_mask_loadu_epi8(otherwise, static_cast<__mmask16>(bits), p)
                      : _mm_mask_loadu_epi16(otherwise, static_cast<__mmask8>(bits), p);
}
template <int Element>
CORTEX_INLINE auto load_part(uint64_t bits, const char* p, __m256i otherwise) {
  return Element == 1 ? _mm256_mask_loadu_epi8(otherwise, static_cast<__mmask32>(bits), p)
                      : _mm256_mask_loadu_epi16(otherwise, static_cast<__mmask16>(bits), p);
}
template <int Element>
CORTEX_INLINE auto load_part(uint64_t bits, const char* p, __m512i otherwise) {
  return Element == 1 ? _mm512_mask_loadu_epi8(otherwise, bits, p)
                      : _mm512_mask_loadu_epi16(otherwise, static_cast<__mmask32>(bits), p);
}

// Elements 0, 2, ...
template <int Element>
CORTEX_INLINE __m128i even_of(__m256i x) {
  return Element == 1 ? _mm256_cvtepi16_epi8(x) : _mm256_cvtepi32_epi16(x);
}
template <int Element>
CORTEX_INLINE __m256i even_of(__m512i x) {
  return Element == 1 ? _mm512_cvtepi16_epi8(x) : _mm512_cvtepi32_epi16(x);
}

// `Bytes` bytes of a run whose step is 1 or 2, as gather_narrow says.
template <int Element, int Bytes, int Step>
CORTEX_INLINE void move_part(char* to, const char* at, uint64_t bits, __m512i outside, __m512i flipped) {
  const auto read = load_part<Element>(bits, at, low_part<Bytes * Step>(outside));
  const auto part = [&] CORTEX_LAMBDA {
    if constexpr (Step == 2) return even_of<Element>(read);
    if constexpr (Step == 1) return read;
  }();
  if constexpr (Bytes == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_xor_si128(part, low_part<16>(flipped)));
  } else {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_xor_si256(part, low_part<32>(flipped)));
  }
}

}  // namespace
}  // namespace cortex
