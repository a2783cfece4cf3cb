// Lines that move into and out of a cache, counted tile by tile.
//
// The cache holds the tile of one depth of the schedule's loops, no more: going to the next tile in order,
// lines of both stay, the others are written back or dropped. That is the traffic of footprint x trips (Li
// et al., "Analytical characterization and design space exploration for optimization of CNNs", ASPLOS 2021),
// with overlap between neighbours, edges, padding, gaps and line boundaries counted instead of averaged.
#pragma once

#include <array>

#include "polyopt/analysis/tiling.h"
#include "support/result.h"

namespace cortex {

struct TileTraffic {
  std::array<int64_t, operand_count> read{};  // lines brought in with what they hold; of C, partial sums
  int64_t allocated = 0;                      // lines of C brought in for the first time, to be overwritten
  int64_t written = 0;                        // lines of C written back
  int64_t tiles = 0;
  int64_t line_bytes = 64;
};

// One thread runs all loops; operands where the user holds them, packs not considered. Refuses where images
// have no closed form, and when there are too many tiles or rows to visit.
Result<TileTraffic> tile_traffic(const Nest& nest, const Schedule& schedule, int depth,
                                 int64_t line_bytes = 64);

}  // namespace cortex
