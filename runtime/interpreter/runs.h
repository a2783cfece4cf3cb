// A loop's tiles have at most two sizes: they come as two runs of equal tiles.
#pragma once

#include <algorithm>
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

// Part `coord` of `grid` of the tiles (see cortex_kernel_call).
struct TileShare {
  struct Part {
    int64_t begin, end, size, offset;  // tile indices; where tile `begin` starts in the range
  } part[2];
  int64_t last;  // index of the loop's last tile, whoever has it
};

inline TileShare tile_share(const std::array<TileRun, 2>& runs, int64_t grid, int64_t coord) {
  const int64_t first = runs[0].count, tiles = first + runs[1].count;
  const int64_t begin = tiles * coord / grid, end = tiles * (coord + 1) / grid;
  const int64_t second = std::max(begin, first);
  return {{{begin, std::min(end, first), runs[0].size, begin * runs[0].size},
           {second, end, runs[1].size, first * runs[0].size + (second - first) * runs[1].size}},
          tiles - 1};
}

}  // namespace cortex
