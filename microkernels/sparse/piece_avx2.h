// Some lanes of a vector of strided elements, zeros elsewhere.
#pragma once

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/vector_avx2.h"

namespace cortex {
namespace {

constexpr bool has_step2 = true;

// A bit per lane to all bits of the lane.
CORTEX_INLINE __m256i lanes_of(uint32_t bits) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), bit), bit);
}

template <int Step>
CORTEX_INLINE Vec piece(const float* lane0, const cortex_sparse_piece& p) {
  if constexpr (Step == 1) {
    return p.lanes == 0xff ? load(lane0) : _mm256_maskload_ps(lane0, lanes_of(p.lanes));
  }
  // The even elements of two vectors.
  const Vec low = _mm256_maskload_ps(lane0, lanes_of(p.spread));
  const Vec high = _mm256_maskload_ps(lane0 + lanes, lanes_of(p.spread >> lanes));
  const Vec even = _mm256_shuffle_ps(low, high, 0x88);  // 0 2 8 10 4 6 12 14
  return _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(even), 0xd8));
}

}  // namespace
}  // namespace cortex
