// Sums of a block of outputs for one group of channels, on their way to memory: see cortex_epilogue. What
// most layers take is done in the order in which sums stand, which packing to bytes turns into that of
// channels.
#pragma once

#include <stdint.h>

#include "microkernels/dwconv/taps.h"

namespace cortex {
namespace {

// Outputs [y, y + rows) x [x, x + columns); sums[i][j][v]: vector v of those of output (i, j); of `made`
// outputs in a row.
struct ByteSums {
  const Plane& plane;
  const Group& group;
  int64_t y, x;
  int rows, columns, made;
  const Vec* sums;

  CORTEX_INLINE char* output(int i, int j, int64_t size) const {
    return plane.output + (y + i) * plane.out_row + (x + j) * plane.out_column + group.first * size;
  }
  CORTEX_INLINE const char* residual(int i, int j, int64_t size) const {
    if (!plane.args.epilogue.residual) return nullptr;
    return plane.residual + (y + i) * plane.residual_row + (x + j) * plane.residual_column +
           group.first * size;
  }
};

template <int Type, bool Bias, bool Clamp>
__attribute__((noinline)) void finish_often(const ByteSums& s, float least, float most) {
  const int32_t zero_point = s.plane.args.epilogue.c_zero_point;
  Vec scale[4], bias[4];
  CORTEX_UNROLL
  for (int v = 0; v < 4; ++v) {
    scale[v] = load(s.group.scale + v * lanes);
    bias[v] = load(s.group.bias + v * lanes);
  }
#pragma GCC unroll 1
  for (int i = 0; i < s.rows; ++i) {
    const Vec* sums = s.sums + i * s.made * 4;
    char* c = s.output(i, 0, 1);
#pragma GCC unroll 1
    for (int j = 0; j < s.columns; ++j, sums += 4, c += s.plane.out_column) {
      Vec x[4];
      CORTEX_UNROLL
      for (int v = 0; v < 4; ++v) {
        x[v] = mul(from_integers(sums[v]), scale[v]);
        keep(x[v]);  // rounded before the bias comes
        if (Bias) x[v] = add(x[v], bias[v]);
        if (Clamp) x[v] = min(splat(most), max(splat(least), x[v]));
      }
      store_bytes<Type>(c, s.group.channels, x, zero_point);
    }
  }
}

template <int Type>
CORTEX_INLINE void finish_often(const ByteSums& s) {
  const cortex_epilogue& e = s.plane.args.epilogue;
  const bool relu = e.activation == CORTEX_ACTIVATION_RELU, clip = e.activation == CORTEX_ACTIVATION_CLIP;
  const float least = clip ? e.alpha : 0.0f, most = clip ? e.beta : 0x1p30f;
  // Saturation to u8 is a ReLU where zero is 0.
  const bool clamp = clip || (relu && !(Type == CORTEX_ELEMENT_U8 && e.c_zero_point == 0));
  if (s.group.biased) {
    return clamp ? finish_often<Type, true, true>(s, least, most)
                 : finish_often<Type, true, false>(s, least, most);
  }
  return clamp ? finish_often<Type, false, true>(s, least, most)
               : finish_often<Type, false, false>(s, least, most);
}

// Everything else, channel by channel.
__attribute__((noinline)) void finish_rarely(const ByteSums& s, int32_t type) {
  const cortex_epilogue& e = s.plane.args.epilogue;
  const uint32_t flags = s.plane.args.flags;
  const int64_t n = s.group.channels, first = s.group.first, size = size_of_element(type);
#pragma GCC unroll 1
  for (int output = 0; output < s.rows * s.columns; ++output) {
    const int i = output / s.columns, j = output % s.columns;
    Vec sums[4];
    CORTEX_UNROLL
    for (int v = 0; v < 4; ++v) sums[v] = s.sums[4 * (i * s.made + j) + v];
    float copy[points];
    store_in_order(copy, sums);
    char* c = s.output(i, j, size);
#pragma GCC unroll 1
    for (int64_t k = 0; k < n; k += lanes) {
      const Mask mask = first_lanes(n - k < lanes ? n - k : lanes);
      const auto of_channels = [&](const void* p) CORTEX_LAMBDA {
        return load(mask, static_cast<const float*>(p) + first + k);
      };
      Vec x = load(copy + k);
      if (flags & CORTEX_TILE_ACCUMULATE) x = add_integers(x, load(mask, reinterpret_cast<float*>(c) + k));
      if (!(flags & CORTEX_TILE_EPILOGUE)) {
        store(mask, reinterpret_cast<float*>(c) + k, x);
        continue;
      }
      if (e.compensation_n) x = add_integers(x, of_channels(e.compensation_n));
      x = from_integers(x);
      if (e.scale_n) x = mul(x, of_channels(e.scale_n));
      keep(x);
      if (e.bias_n) x = add(x, of_channels(e.bias_n));
      store(copy + k, x);
    }
    if (!(flags & CORTEX_TILE_EPILOGUE)) continue;
    const TilePlace at{c, 0, n, nullptr, nullptr, s.residual(i, j, size), 0};
    switch (type) {
      case CORTEX_ELEMENT_U8:
        finish_copy<CORTEX_ELEMENT_U8>(e, at, copy, points, 1);
        break;
      case CORTEX_ELEMENT_S8:
        finish_copy<CORTEX_ELEMENT_S8>(e, at, copy, points, 1);
        break;
      case CORTEX_ELEMENT_S32:
        finish_copy<CORTEX_ELEMENT_S32>(e, at, copy, points, 1);
        break;
      default:
        finish_copy<CORTEX_ELEMENT_F32>(e, at, copy, points, 1);
    }
  }
}

CORTEX_INLINE void finish(const ByteSums& s) {
  const cortex_epilogue& e = s.plane.args.epilogue;
  const uint32_t flags = s.plane.args.flags;
  const bool finishes = flags & CORTEX_TILE_EPILOGUE;
  const int32_t type = e.c_type == CORTEX_ELEMENT_SUM || !finishes ? CORTEX_ELEMENT_S32 : e.c_type;
  const bool steady = e.activation == CORTEX_ACTIVATION_NONE || e.activation == CORTEX_ACTIVATION_CLIP ||
                      (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f);
  if (finishes && steady && !(flags & CORTEX_TILE_ACCUMULATE) && !e.residual && !e.compensation_n) {
    if (type == CORTEX_ELEMENT_U8) return finish_often<CORTEX_ELEMENT_U8>(s);
    if (type == CORTEX_ELEMENT_S8) return finish_often<CORTEX_ELEMENT_S8>(s);
  }
  finish_rarely(s, type);
}

}  // namespace
}  // namespace cortex
