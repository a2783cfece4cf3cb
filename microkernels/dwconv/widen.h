// Vectors of bf16 as f32: the bits become the upper halves. base + Scale*offset is where they lie.
#pragma once

#include <stdint.h>
#include <string.h>

namespace cortex {
namespace {

#if defined(__AVX512F__)

CORTEX_INLINE Vec widened(Vec words) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(words), 16));
}
template <int Scale>
CORTEX_INLINE Vec widen_at(const char* base, int64_t offset) {
  Vec v;
  if constexpr (Scale == 0) {
    asm("vpmovzxwd (%1), %0" : "=v"(v) : "r"(base), CORTEX_READS(base));
  } else {
    asm("vpmovzxwd (%1,%2,%c3), %0" : "=v"(v) : "r"(base), "r"(offset), "i"(Scale), CORTEX_READS(base));
  }
  return widened(v);
}
template <int Scale>
CORTEX_INLINE Vec widen_at(Mask mask, const char* base, int64_t offset) {
  Vec v;
  if constexpr (Scale == 0) {
    asm("vpmovzxwd (%1), %0%{%2%}%{z%}" : "=v"(v) : "r"(base), "Yk"(mask), CORTEX_READS(base));
  } else {
    asm("vpmovzxwd (%1,%2,%c3), %0%{%4%}%{z%}"
        : "=v"(v)
        : "r"(base), "r"(offset), "i"(Scale), "Yk"(mask), CORTEX_READS(base));
  }
  return widened(v);
}

#else

#if defined(__AVX2__)
CORTEX_INLINE int64_t lanes_in(Mask mask) { return mask_source + lanes - mask; }
CORTEX_INLINE Vec widened(__m256i words) { return _mm256_castsi256_ps(_mm256_slli_epi32(words, 16)); }
template <int Scale>
CORTEX_INLINE Vec widen_at(const char* base, int64_t offset) {
  if constexpr (Scale == 0) {
    return widened(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(base))));
  }
  __m256i words;
  asm("vpmovzxwd (%1,%2,%c3), %0" : "=x"(words) : "r"(base), "r"(offset), "i"(Scale), CORTEX_READS(base));
  return widened(words);
}
#else
CORTEX_INLINE int64_t lanes_in(Mask mask) { return mask.n; }
template <int Scale>
CORTEX_INLINE Vec widen_at(const char* base, int64_t offset) {
  typedef uint16_t Halves __attribute__((vector_size(8)));
  typedef uint32_t Words __attribute__((vector_size(16)));
  Halves halves;
  memcpy(&halves, base + Scale * offset, sizeof halves);
  return (Vec)(__builtin_convertvector(halves, Words) << 16);
}
#endif

// No masks for halves: the ends of rows go through a small array.
__attribute__((noinline)) Vec widen_first(Mask mask, const char* from) {
  uint16_t copy[lanes] = {};
  const int64_t n = lanes_in(mask);
#pragma GCC unroll 1
  for (int64_t i = 0; i < n; ++i) memcpy(copy + i, from + 2 * i, 2);
  return widen_at<0>(reinterpret_cast<const char*>(copy), 0);
}
template <int Scale>
CORTEX_INLINE Vec widen_at(Mask mask, const char* base, int64_t offset) {
  return widen_first(mask, base + Scale * offset);
}

#endif

}  // namespace
}  // namespace cortex
