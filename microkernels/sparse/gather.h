// Panels of f32 from activations of f32 or bf16 whose points are adjacent. The ISA's header says how a vector
// is read, `vector_of<Step>(lane 0, run)`, Step 1 or 2, and whether there is move_half for half of one.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"

namespace cortex {
namespace {

CORTEX_INLINE float widened(float x) { return x; }
CORTEX_INLINE float widened(uint16_t x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16;
  float value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}

// Run by run, so that what a run says is read once for all channels.
template <typename Source, int Step, typename VectorOf>
CORTEX_INLINE void gather_with(const cortex_sparse_gather_args& x, VectorOf vector_of_run) {
  constexpr int64_t size = sizeof(Source);
  const cortex_sparse_run* const end = x.runs + x.run_count;
  const int32_t* const last = x.channels + x.count;
#pragma GCC unroll 1
  for (const cortex_sparse_run* r = x.runs; r != end; ++r) {
    const auto run = run_of(*r);
    const char* from = static_cast<const char*>(x.src) + size * r->from;
    char* to = static_cast<char*>(x.panel) + 4 * r->to;
    const auto each = [&](auto move) CORTEX_LAMBDA {
#pragma GCC unroll 4
      for (const int32_t* channel = x.channels; channel != last; ++channel, to += x.ld_panel)
        move(reinterpret_cast<float*>(to), reinterpret_cast<const Source*>(from + *channel * x.ld_channel));
    };
    if constexpr (has_half_runs && Step != 0) {
      if (r->count <= lanes / 2) {
        each([&](float* half, const Source* lane0) CORTEX_LAMBDA { move_half<Step>(half, lane0, run); });
        continue;
      }
    }
    each([&](float* whole, const Source* lane0) CORTEX_LAMBDA { store(whole, vector_of_run(lane0, run)); });
  }
}

template <typename Source, int Step>
__attribute__((noinline)) void gather_step(const cortex_sparse_gather_args& x) {
  gather_with<Source, Step>(
      x, [](const Source* lane0, const LaneRun& run) CORTEX_LAMBDA { return vector_of<Step>(lane0, run); });
}

template <typename Source>
__attribute__((noinline)) void gather_any_step(const cortex_sparse_gather_args& x) {
  gather_with<Source, 0>(x, [&](const Source* lane0, const LaneRun& run) CORTEX_LAMBDA {
    const uint64_t bits = run.bits;
    const int spacing = x.step == 2 ? 2 : 1;
    float all[lanes];
    for (int lane = 0; lane < lanes; ++lane)
      all[lane] = bits >> (spacing * lane) & 1 ? widened(lane0[x.step * lane]) : 0.0f;
    return load(all);
  });
}

template <typename Source>
CORTEX_INLINE void gather(const cortex_sparse_gather_args& x) {
  if (x.step == 1) return gather_step<Source, 1>(x);
  if constexpr (has_step2<Source>) {
    if (x.step == 2) return gather_step<Source, 2>(x);
  }
  gather_any_step<Source>(x);
}

}  // namespace
}  // namespace cortex
