// How a schedule's loops cut one dim, exactly, as a union of affine pieces. Needs no isl.
//
// Within one piece the tile indices of the dim's loops run through boxes and the tile's first element
// is affine in them: lo = start + sum_j step_j * (t_j - first_j), and the tile covers [lo, lo + len).
// Only a balanced loop needs pieces (its two tile sizes, and every length of range it may find); fixed
// steps after the last balanced loop are left as they are: tile t of step s holds lo + s*t <= i <
// lo + s*(t+1), cut off at the end of the range, which is affine whatever the remainder.
#pragma once

#include <cstdint>
#include <vector>

#include "polyopt/schedule/schedule.h"

namespace cortex::polyhedral {

struct TileIndex {
  int loop = 0;       // index into Schedule::loops
  int64_t first = 0;  // first <= t < end
  int64_t end = 1;
  int64_t step = 1;  // elements per unit of t
};

struct TilePiece {
  std::vector<TileIndex> indices;  // outermost first
  int64_t start = 0;
  int64_t len = 1;
  std::vector<int> fixed;  // loops that follow, all of fixed step
};

std::vector<TilePiece> tile_pieces(const Nest& nest, const Schedule& schedule, int dim);

// Half-open range of one dim.
struct TileRange {
  int64_t lo = 0, len = 1;
  bool operator==(const TileRange&) const = default;
};

// The ranges of all dims in one representative tile where `depth` loops are open: away from the
// edges where the loop has tiles there, and of the full size.
std::vector<TileRange> interior_tile(const Nest& nest, const Schedule& schedule, int depth);

}  // namespace cortex::polyhedral
