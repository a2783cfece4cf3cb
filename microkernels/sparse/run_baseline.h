// A vector of a panel from memory, and lanes in another order.
#pragma once

#include "cortex/sparse_kernels.h"

#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

namespace cortex {
namespace {

template <typename Source>
constexpr bool has_step2 = false;

// The lanes of a run, ready for use.
struct LaneRun {
  uint64_t bits;
};
CORTEX_INLINE LaneRun run_of(const cortex_sparse_run& r) { return {r.low | r.high << lanes}; }

template <int Step>
CORTEX_INLINE Vec vector_of(const float* lane0, const LaneRun& run) {
  if (run.bits == 0xf) return load(lane0);
  Vec v = zero();
  for (int i = 0; i < lanes; ++i)
    if (run.bits >> i & 1) v[i] = lane0[i];
  return v;
}

// The same of bf16.
template <int Step>
CORTEX_INLINE Vec vector_of(const uint16_t* lane0, const LaneRun& run) {
  Vec v = zero();
  for (int i = 0; i < lanes; ++i)
    if (run.bits >> i & 1) v[i] = float_of_bits(static_cast<uint32_t>(lane0[i]) << 16);
  return v;
}

// See run_avx512.h.
CORTEX_INLINE Vec load_half(const float* p) { return load(p); }
constexpr bool has_half_runs = false;
template <int Step, typename Source>
CORTEX_INLINE void move_half(float*, const Source*, const LaneRun&) {}

// Lane i is v's lane order[i].
struct Order {
  const uint8_t* lane;
};
CORTEX_INLINE Order order_of(const uint8_t* order) { return {order}; }
CORTEX_INLINE Vec reorder(Vec v, Order order) {
  return Vec{v[order.lane[0]], v[order.lane[1]], v[order.lane[2]], v[order.lane[3]]};
}

}  // namespace
}  // namespace cortex
