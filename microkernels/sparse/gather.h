// Panels of channels from activations whose points are adjacent. The ISA's header says how a vector is read:
// `vector_of<Step>(lane 0, run)`, Step 1 or 2.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"

namespace cortex {
namespace {

template <typename VectorOf>
CORTEX_INLINE void gather_with(const cortex_sparse_gather_args& x, VectorOf vector_of_run) {
  char* panel = static_cast<char*>(x.panel);
  const cortex_sparse_run* const end = x.runs + x.run_count;
#pragma GCC unroll 1
  for (int64_t i = 0; i < x.count; ++i, panel += x.ld_panel) {
    const auto* channel =
        reinterpret_cast<const float*>(static_cast<const char*>(x.src) + x.channels[i] * x.ld_channel);
    auto* to = reinterpret_cast<float*>(panel);
#pragma GCC unroll 1
    for (const cortex_sparse_run* run = x.runs; run != end; ++run)
      store(to + run->to, vector_of_run(channel + run->from, *run));
  }
}

template <int Step>
__attribute__((noinline)) void gather_step(const cortex_sparse_gather_args& x) {
  gather_with(x, [](const float* lane0, const cortex_sparse_run& run)
                     CORTEX_LAMBDA { return vector_of<Step>(lane0, run); });
}

__attribute__((noinline)) void gather_any_step(const cortex_sparse_gather_args& x) {
  gather_with(x, [&](const float* lane0, const cortex_sparse_run& run) CORTEX_LAMBDA {
    const uint64_t bits = run.low | run.high << lanes;
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
