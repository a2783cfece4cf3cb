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

  // Where the outputs of a block go: worked out once for all its channels.
  struct Outputs {
    const cortex_epilogue& epilogue;
    const uint32_t flags;
    TilePlace first{};  // of channel 0

    CORTEX_INLINE Outputs(const Plane& plane, const Place& place)
        : epilogue(plane.args.epilogue), flags(plane.args.flags) {
      first.c = plane.output + place.y * plane.out_row + place.x * plane.out_column;
      first.ldc = plane.out_column;
      first.c_band = plane.out_row;
      first.bias_n = epilogue.bias_n;
      first.residual = epilogue.residual
                           ? plane.residual + place.y * plane.residual_row + place.x * plane.residual_column
                           : nullptr;
      first.ld_residual = plane.residual_column;
      first.residual_band = plane.residual_row;
    }

    CORTEX_INLINE char* address() const { return first.c; }  // of the block's first output, channel 0

    // So many columns of outputs to the right.
    CORTEX_INLINE void move(const Plane& plane, int64_t by) {
      first.c += by * plane.out_column;
      if (first.residual) first.residual += by * plane.residual_column;
    }

    // R rows of X outputs, channels from c on.
    template <int R, int X, bool Masked, typename Tile>
    CORTEX_INLINE void finish(Tile& tile, int64_t c, int64_t channels) const {
      TilePlace at = first;
      at.c += c * 4;
      at.n = channels;
      if (at.bias_n) at.bias_n += c;
      if (at.residual) at.residual += c * 4;
      tile.to_memory(flags, epilogue, at);
    }
  };
};

}  // namespace
}  // namespace cortex
