// A vector of a panel from memory, and lanes in another order.
#pragma once

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/vector_avx512.h"

#include "microkernels/vector/elements_avx512.h"

namespace cortex {
namespace {

template <typename Source>
constexpr bool has_step2 = true;

// The lanes of a run, ready for use.
struct LaneRun {
  Mask low, high;
  uint64_t bits;
};
CORTEX_INLINE LaneRun run_of(const cortex_sparse_run& r) {
  return {static_cast<Mask>(r.low), static_cast<Mask>(r.high), r.low | r.high << lanes};
}

template <int Step>
CORTEX_INLINE Vec vector_of(const float* lane0, const LaneRun& run) {
  const Vec low = load(run.low, lane0);
  if constexpr (Step == 1) return low;
  const Vec high = load(run.high, lane0 + lanes);
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_ps(low, even, high);
}

// The same of bf16.
template <int Step>
CORTEX_INLINE Vec vector_of(const uint16_t* lane0, const LaneRun& run) {
  const __m512i words = Step == 1 ? _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(run.low, lane0))
                                  : _mm512_maskz_loadu_epi16(static_cast<__mmask32>(run.bits), lane0);
  return _mm512_castsi512_ps(_mm512_slli_epi32(words, 16));
}

// The lower half of a vector, the upper one is anything.
CORTEX_INLINE Vec load_half(const float* p) {
  Vec v;
  asm("vmovups %1, %t0" : "=v"(v) : "m"(*reinterpret_cast<const __m256_u*>(p)));
  return v;
}

// The first half of a vector in a narrower register, whose store takes half the time where stores have 32
// bytes.
constexpr bool has_half_runs = true;
template <int Step>
CORTEX_INLINE void move_half(float* to, const float* lane0, const LaneRun& run) {
  if constexpr (Step == 1) {
    _mm256_storeu_ps(to, _mm256_maskz_loadu_ps(static_cast<__mmask8>(run.low), lane0));
  } else {
    const Vec twice = load(run.low, lane0);
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0);
    _mm256_storeu_ps(to, _mm512_castps512_ps256(_mm512_permutexvar_ps(even, twice)));
  }
}
template <int Step>
CORTEX_INLINE void move_half(float* to, const uint16_t* lane0, const LaneRun& run) {
  const auto mask = static_cast<__mmask8>(run.low);
  const __m256i words = Step == 1 ? _mm256_cvtepu16_epi32(_mm_maskz_loadu_epi16(mask, lane0))
                                  : _mm256_maskz_loadu_epi16(run.low, lane0);
  _mm256_storeu_ps(to, _mm256_castsi256_ps(_mm256_slli_epi32(words, 16)));
}

// Lane i is v's lane order[i].
using Order = __m512i;
CORTEX_INLINE Order order_of(const uint8_t* order) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(order)));
}
CORTEX_INLINE Vec reorder(Vec v, Order order) { return _mm512_permutexvar_ps(order, v); }

}  // namespace
}  // namespace cortex
