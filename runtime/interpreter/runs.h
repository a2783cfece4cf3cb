// A loop's tiles have at most two sizes: they come as two runs of equal tiles.
#pragma once

#include <array>
#include <cstdint>

#include "support/checked.h"

namespace cortex {

struct TileRun {
  int64_t count = 0;
  int64_t size = 0;
};

// The tiles of a range of `length` (positive) under a loop of this step (see schedule.h), in order.
inline std::array<TileRun, 2> tile_runs(int64_t length, int64_t step, bool balanced) {
  if (length <= step) return {{{1, length}, {0, 0}}};
  if (!balanced) {
    const int64_t rest = length % step;
    return {{{length / step, step}, {rest ? 1 : 0, rest}}};
  }
  const int64_t tiles = ceil_div(length, step);
  const int64_t size = length / tiles, longer = length % tiles;
  if (longer == 0) return {{{tiles, size}, {0, 0}}};
  return {{{longer, size + 1}, {tiles - longer, size}}};
}

}  // namespace cortex
