#include <fmt/format.h>

#include "polyopt/ppl/box.h"
#include "polyopt/ppl/tile_limit.h"

namespace cortex {

Result<TileLimit> largest_tile_by_search(const Nest& nest, std::vector<int64_t> tile, int dim,
                                         int64_t capacity_bytes, int64_t line_bytes) {
  if (dim < 0 || dim >= std::ssize(nest.dims) || tile.size() != nest.dims.size()) {
    return invalid_argument(fmt::format("tile limit: {} has no dim {}, or the tile has {} of its {} sizes",
                                        nest.name, dim, tile.size(), nest.dims.size()));
  }
  for (std::size_t d = 0; d < tile.size(); ++d) {
    if (tile[d] < 1 || tile[d] > nest.dims[d].extent) {
      return invalid_argument(fmt::format("tile limit: tile {} of {} is outside 1..{}", tile[d],
                                          nest.dims[d].name, nest.dims[d].extent));
    }
  }
  const auto bytes = [&](int64_t size) {
    tile[dim] = size;
    return box_bytes(nest, tile, line_bytes);
  };
  const auto fits = [&](int64_t size) {
    const std::optional<int64_t> b = bytes(size);
    return b && *b <= capacity_bytes;
  };
  int64_t low = 0, high = nest.dims[dim].extent;  // low fits (or is 0), everything above high does not
  while (low < high) {
    const int64_t middle = low + (high - low + 1) / 2;
    if (fits(middle))
      low = middle;
    else
      high = middle - 1;
  }
  return TileLimit{low, bytes(low > 0 ? low : 1).value_or(INT64_MAX), false};
}

}  // namespace cortex
