// A tile whose vectors do not stand side by side in C: each goes where its cortex_sparse_place says.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// `at` is as for adjacent vectors, but for n.
template <int T, int R>
CORTEX_INLINE void finish_placed(RegisterTile<T, R, true>& tile, const cortex_epilogue& e,
                                 const TilePlace& at, const cortex_sparse_place* places) {
  CORTEX_UNROLL
  for (int j = 0; j < R; ++j) {
    const Order order = order_of(places[j].lane);
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) tile.v[t][j] = reorder(tile.v[t][j], order);
  }
  const bool residual_last = at.residual && e.residual_after_activation;
  if (at.residual && !residual_last) {
    const Vec scale = splat(e.residual_scale);
    tile.each([&](Vec x, int t, int j) CORTEX_LAMBDA {
      const auto* from = reinterpret_cast<const float*>(at.residual + t * at.ld_residual) + places[j].offset;
      return fma(load(first_lanes(places[j].count), from), scale, x);
    });
  }
  tile.apply_linear(e, at, false);
  if (residual_last || e.activation >= CORTEX_ACTIVATION_SIGMOID) {
    float beside[T * R * lanes];
    tile.each([&](Vec x, int t, int j) CORTEX_LAMBDA {
      store(beside + (t * R + j) * lanes, x);
      return x;
    });
#pragma GCC unroll 1
    for (int j = 0; j < R; ++j) {
      const int64_t skip = 4 * static_cast<int64_t>(places[j].offset);
      finish_tile(e, residual_last ? at.residual + skip : nullptr, at.ld_residual, beside + j * lanes,
                  R * lanes, at.c + skip, at.ldc, T, places[j].count);
    }
    return;
  }
  tile.each([&](Vec x, int t, int j) CORTEX_LAMBDA {
    store(first_lanes(places[j].count), reinterpret_cast<float*>(at.c + t * at.ldc) + places[j].offset, x);
    return x;
  });
}

}  // namespace
}  // namespace cortex
