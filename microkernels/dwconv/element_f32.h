// Depthwise windows of f32: sums go through the epilogue in registers.
#pragma once

#include <stdint.h>

#include "microkernels/dwconv/plane.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

struct Element {
  static constexpr int64_t size = 4;
  CORTEX_INLINE static Vec load(const char* p) { return cortex::load(reinterpret_cast<const float*>(p)); }
  CORTEX_INLINE static Vec load(Mask mask, const char* p) {
    return cortex::load(mask, reinterpret_cast<const float*>(p));
  }
  template <int Row, typename Pointers>
  CORTEX_INLINE static Vec load_row(const Pointers& at) {
    return at.template load_row<Row>();
  }
  template <int Row, typename Pointers>
  CORTEX_INLINE static Vec load_row(const Pointers& at, Mask mask) {
    return at.template load_row<Row>(mask);
  }

  // R rows of X outputs, channels from c on.
  template <int R, int X, bool Masked, typename Tile>
  CORTEX_INLINE static void finish(Tile& tile, const Plane& plane, const Place& place, int64_t c,
                                   int64_t channels) {
    const cortex_epilogue& e = plane.args.epilogue;
    TilePlace at{};
    at.c = plane.output + place.y * plane.out_row + place.x * plane.out_column + c * 4;
    at.ldc = plane.out_column;
    at.c_band = plane.out_row;
    at.n = channels;
    at.bias_n = e.bias_n ? e.bias_n + c : nullptr;
    at.bias_m = nullptr;
    at.residual =
        e.residual ? plane.residual + place.y * plane.residual_row + place.x * plane.residual_column + c * 4
                   : nullptr;
    at.ld_residual = plane.residual_column;
    at.residual_band = plane.residual_row;
    tile.to_memory(plane.args.flags, e, at);
  }
};

}  // namespace
}  // namespace cortex
