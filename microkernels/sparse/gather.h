// Panels of columns from activations whose points are adjacent. The ISA's header says how a piece of a vector
// is read: `piece<Step>(lane 0, piece)`, Step 1 or 2.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"

namespace cortex {
namespace {

CORTEX_INLINE const float* channel_of(const cortex_sparse_gather_args& x, int64_t column) {
  return reinterpret_cast<const float*>(static_cast<const char*>(x.src) +
                                        x.columns[column].channel * x.ld_channel);
}

// One piece a vector.
template <int Step>
__attribute__((noinline)) void gather_single(const cortex_sparse_gather_args& x) {
  char* panel = static_cast<char*>(x.panel);
#pragma GCC unroll 1
  for (int64_t i = 0; i < x.count; ++i, panel += x.ld_panel) {
    const float* channel = channel_of(x, i);
    const cortex_sparse_piece* p = x.pieces + x.columns[i].tap * x.vectors;
    auto* to = reinterpret_cast<float*>(panel);
    const auto* const end = p + x.vectors;
#pragma GCC unroll 1
    for (; p != end; ++p, to += lanes) store(to, piece<Step>(channel + p->offset, *p));
  }
}

template <int Step>
__attribute__((noinline)) void gather_several(const cortex_sparse_gather_args& x) {
  char* panel = static_cast<char*>(x.panel);
#pragma GCC unroll 1
  for (int64_t i = 0; i < x.count; ++i, panel += x.ld_panel) {
    const float* channel = channel_of(x, i);
    const int32_t* first = x.first_piece + x.columns[i].tap * x.vectors;
    auto* to = reinterpret_cast<float*>(panel);
    const cortex_sparse_piece* p = x.pieces + first[0];
#pragma GCC unroll 1
    for (int64_t v = 1; v <= x.vectors; ++v, to += lanes) {
      const cortex_sparse_piece* const end = x.pieces + first[v];
      Vec all = zero();
      for (; p != end; ++p) all = add(all, piece<Step>(channel + p->offset, *p));
      store(to, all);
    }
  }
}

__attribute__((noinline)) void gather_any_step(const cortex_sparse_gather_args& x) {
  char* panel = static_cast<char*>(x.panel);
  for (int64_t i = 0; i < x.count; ++i, panel += x.ld_panel) {
    const float* channel = channel_of(x, i);
    auto* to = reinterpret_cast<float*>(panel);
    for (int64_t v = 0; v < x.vectors; ++v, to += lanes) {
      const int64_t at = x.columns[i].tap * x.vectors + v;
      const cortex_sparse_piece* p = x.pieces + (x.first_piece ? x.first_piece[at] : at);
      const cortex_sparse_piece* const end = x.first_piece ? x.pieces + x.first_piece[at + 1] : p + 1;
      store(to, zero());
      for (; p != end; ++p) {
        for (int lane = 0; lane < lanes; ++lane)
          if (p->lanes >> lane & 1) to[lane] = channel[p->offset + x.step * lane];
      }
    }
  }
}

CORTEX_INLINE void gather(const cortex_sparse_gather_args& x) {
  if (x.step == 1) return x.first_piece ? gather_several<1>(x) : gather_single<1>(x);
  if constexpr (has_step2) {
    if (x.step == 2) return x.first_piece ? gather_several<2>(x) : gather_single<2>(x);
  }
  gather_any_step(x);
}

}  // namespace
}  // namespace cortex
