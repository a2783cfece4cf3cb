#include "polyopt/search/tiles.h"

#include <algorithm>

#include "support/checked.h"

namespace cortex {

std::vector<int64_t> block_sizes(int64_t extent, int64_t unit, int64_t least, std::size_t most) {
  std::vector<int64_t> sizes;
  const int64_t units = ceil_div(extent, unit);
  for (int64_t parts = 2; parts <= units; parts += parts < 4 ? 1 : parts / 2) {
    const int64_t size = ceil_div(units, parts) * unit;
    if (size < least) break;
    if (size < extent && (sizes.empty() || sizes.back() != size)) sizes.push_back(size);
  }
  if (sizes.size() <= most || most == 0) return most ? sizes : std::vector<int64_t>{};
  if (most == 1) return {sizes[sizes.size() / 2]};
  std::vector<int64_t> few;
  for (std::size_t i = 0; i < most; ++i) {
    const int64_t size = sizes[i * (sizes.size() - 1) / (most - 1)];
    if (few.empty() || few.back() != size) few.push_back(size);
  }
  return few;
}

}  // namespace cortex
