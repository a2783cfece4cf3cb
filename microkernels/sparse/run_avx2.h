// A vector of a panel from memory, and lanes in another order.
#pragma once

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/vector_avx2.h"

#include "microkernels/vector/elements_avx2.h"

namespace cortex {
namespace {

template <typename Source>
constexpr bool has_step2 = sizeof(Source) == 4;

// A bit per lane to all bits of the lane.
CORTEX_INLINE __m256i lanes_of(uint64_t bits) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), bit), bit);
}

// The lanes of a run, ready for use.
struct LaneRun {
  __m256i low, high;
  uint64_t bits;
};
CORTEX_INLINE LaneRun run_of(const cortex_sparse_run& r) {
  return {lanes_of(r.low), lanes_of(r.high), r.low | r.high << lanes};
}

template <int Step>
CORTEX_INLINE Vec vector_of(const float* lane0, const LaneRun& run) {
  const Vec low = _mm256_maskload_ps(lane0, run.low);
  if constexpr (Step == 1) return low;
  const Vec high = _mm256_maskload_ps(lane0 + lanes, run.high);
  const Vec even = _mm256_shuffle_ps(low, high, 0x88);  // 0 2 8 10 4 6 12 14
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(even), 0xd8));
}

// The same of bf16.
template <int Step>
CORTEX_INLINE Vec vector_of(const uint16_t* lane0, const LaneRun& run) {
  static_assert(Step == 1);
  uint16_t copy[lanes] = {};
  const bool whole = run.bits == 0xff;
  for (int i = 0; !whole && i < lanes; ++i)
    if (run.bits >> i & 1) copy[i] = lane0[i];
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(whole ? lane0 : copy));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
}

// See run_avx512.h.
CORTEX_INLINE Vec load_half(const float* p) { return load(p); }
constexpr bool has_half_runs = false;
template <int Step, typename Source>
CORTEX_INLINE void move_half(float*, const Source*, const LaneRun&) {}

// Lane i is v's lane order[i].
using Order = __m256i;
CORTEX_INLINE Order order_of(const uint8_t* order) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(order)));
}
CORTEX_INLINE Vec reorder(Vec v, Order order) { return _mm256_permutevar8x32_ps(v, order); }

}  // namespace
}  // namespace cortex
