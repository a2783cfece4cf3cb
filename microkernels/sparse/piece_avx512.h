// Some lanes of a vector of strided elements, zeros elsewhere.
#pragma once

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/vector_avx512.h"

namespace cortex {
namespace {

constexpr bool has_step2 = true;

template <int Step>
CORTEX_INLINE Vec piece(const float* lane0, const cortex_sparse_piece& p) {
  if constexpr (Step == 1) return load(static_cast<Mask>(p.lanes), lane0);
  // The even elements of two vectors.
  const Vec low = load(static_cast<Mask>(p.spread), lane0);
  const Vec high = load(static_cast<Mask>(p.spread >> 16), lane0 + lanes);
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_ps(low, even, high);
}

}  // namespace
}  // namespace cortex
