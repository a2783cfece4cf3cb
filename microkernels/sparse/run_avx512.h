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

// Lane i is v's lane order[i].
using Order = __m512i;
CORTEX_INLINE Order order_of(const uint8_t* order) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(order)));
}
CORTEX_INLINE Vec reorder(Vec v, Order order) { return _mm512_permutexvar_ps(order, v); }

}  // namespace
}  // namespace cortex
