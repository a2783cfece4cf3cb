// Tile-size limits as integer programs: the largest tile of one dim that still fits a capacity.
#pragma once

#include <string>
#include <vector>

#include "graph/nest/nest.h"
#include "support/result.h"

namespace cortex {

bool built_with_ppl();
std::string ppl_version();  // "PPL 1.2", or "without PPL"

struct TileLimit {
  int64_t tile = 0;     // 0: even a tile of one does not fit
  int64_t bytes = 0;    // what the boxes take at `tile` (at a tile of one when nothing fits)
  bool by_ppl = false;  // false: found by search, because PPL is not built in or a box is not affine
};

// Maximise tile[dim] up to the dim's extent, the others as given, such that box_bytes() (see box.h)
// stays within capacity_bytes. Refuses a dim that does not exist and tiles outside [1, extent].
Result<TileLimit> largest_tile(const Nest& nest, std::vector<int64_t> tile, int dim, int64_t capacity_bytes,
                               int64_t line_bytes = 64);

// The same by bisection: boxes grow with the tile. What largest_tile() falls back to.
Result<TileLimit> largest_tile_by_search(const Nest& nest, std::vector<int64_t> tile, int dim,
                                         int64_t capacity_bytes, int64_t line_bytes = 64);

}  // namespace cortex
