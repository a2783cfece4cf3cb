// Some lanes of a vector of adjacent elements, zeros elsewhere.
#pragma once

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/vector_baseline.h"

namespace cortex {
namespace {

constexpr bool has_step2 = false;

template <int Step>
CORTEX_INLINE Vec piece(const float* lane0, const cortex_sparse_piece& p) {
  if (p.lanes == 0xf) return load(lane0);
  Vec v = zero();
  for (int i = 0; i < lanes; ++i)
    if (p.lanes >> i & 1) v[i] = lane0[i];
  return v;
}

}  // namespace
}  // namespace cortex
