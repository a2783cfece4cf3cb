// The kernel calls of a Schedule, in the order they run: one vector of tile indices each.
#pragma once

#include <vector>

#include "polyopt/analysis/tiling.h"

namespace cortex::polyhedral {

// Tile indices of the loops, outermost first: one kernel call, or, of the first few loops, a tile.
using CallIndex = std::vector<int64_t>;

int64_t trips(const Loop& loop, const TileRange& range);
// Tiles [first, last] of a range, joined.
TileRange tiles(const Loop& loop, const TileRange& range, int64_t first, int64_t last);

// The ranges of all dims in tile `index`, which may be of any depth.
std::vector<TileRange> ranges_at(const Nest& nest, const Schedule& schedule, const CallIndex& index);

// The calls from `first` to `last`, both included: boxes of iterations, disjoint, at most 2 loops + 1.
std::vector<std::vector<TileRange>> boxes_between(const Nest& nest, const Schedule& schedule,
                                                  const CallIndex& first, const CallIndex& last);

}  // namespace cortex::polyhedral
