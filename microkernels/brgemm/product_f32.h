// The product of f32: an element of A times a vector of B.
#pragma once

#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

struct Product {
  static constexpr bool is_narrow = false;
  // That a step over n vectors of B takes beside theirs and one of A.
  static constexpr int extra_registers(int) { return 0; }
  // Whether the vocabulary's combined forms (see vector/rows.h) multiply these types.
  static constexpr bool has_broadcast = has_broadcast_fma, has_fused_row3 = cortex::has_fused_row3;

  // Whether products of a vector's lower half alone have bodies of their own.
  static constexpr bool has_halves = cortex::has_halves;
  CORTEX_INLINE static void accumulate(Vec& sum, Vec a, Vec b) { cortex::accumulate(sum, a, b); }
  CORTEX_INLINE static void accumulate_half(Vec& sum, Vec a, Vec b) { cortex::accumulate_half(sum, a, b); }
  CORTEX_INLINE static Vec add(Vec x, Vec y) { return cortex::add(x, y); }
  CORTEX_INLINE static Vec sum_of_lanes(Vec x) { return splat(cortex::sum_of_lanes(x)); }

  template <typename Tile>
  CORTEX_INLINE static void add_from(Tile& tile, const char* rows, int64_t pitch) {
    tile.add_from(rows, pitch);
  }
  template <typename Tile>
  CORTEX_INLINE static void to_memory(Tile& tile, uint32_t flags, const cortex_epilogue& e,
                                      const TilePlace& at) {
    tile.to_memory(flags, e, at);
  }
};

}  // namespace
}  // namespace cortex
