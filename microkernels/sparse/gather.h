// Panels of channels from activations whose points are adjacent. The ISA's header says how a vector is read:
// `vector_of<Step>(lane 0, run)`, Step 1 or 2.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"

namespace cortex {
namespace {

// Run by run, so that what a run says is read once for all channels.
template <typename VectorOf>
CORTEX_INLINE void gather_with(const cortex_sparse_gather_args& x, VectorOf vector_of_run) {
  const cortex_sparse_run* const end = x.runs + x.run_count;
  const int32_t* const last = x.channels + x.count;
#pragma GCC unroll 1
  for (const cortex_sparse_run* r = x.runs; r != end; ++r) {
    const auto run = run_of(*r);
    const char* from = static_cast<const char*>(x.src) + 4 * r->from;
    char* to = static_cast<char*>(x.panel) + 4 * r->to;
#pragma GCC unroll 4
    for (const int32_t* channel = x.channels; channel != last; ++channel, to += x.ld_panel) {
      store(reinterpret_cast<float*>(to),
            vector_of_run(reinterpret_cast<const float*>(from + *channel * x.ld_channel), run));
    }
  }
}

template <int Step>
__attribute__((noinline)) void gather_step(const cortex_sparse_gather_args& x) {
  gather_with(
      x, [](const float* lane0, const LaneRun& run) CORTEX_LAMBDA { return vector_of<Step>(lane0, run); });
}

__attribute__((noinline)) void gather_any_step(const cortex_sparse_gather_args& x) {
  gather_with(x, [&](const float* lane0, const LaneRun& run) CORTEX_LAMBDA {
    const uint64_t bits = run.bits;
    const int spacing = x.step == 2 ? 2 : 1;
    float all[lanes];
    for (int lane = 0; lane < lanes; ++lane)
      all[lane] = bits >> (spacing * lane) & 1 ? lane0[x.step * lane] : 0.0f;
    return load(all);
  });
}

CORTEX_INLINE void gather(const cortex_sparse_gather_args& x) {
  if (x.step == 1) return gather_step<1>(x);
  if constexpr (has_step2) {
    if (x.step == 2) return gather_step<2>(x);
  }
  gather_any_step(x);
}

}  // namespace
}  // namespace cortex
