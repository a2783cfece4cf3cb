#include "polyopt/search/tiles.h"

#include <algorithm>

#include "polyopt/model/halves.h"
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

Chain tiled(int64_t extent, int64_t block, int64_t tile, bool balanced) {
  Chain chain = whole(extent);
  if (block > 0 && block < extent) split(chain, extent, block, false);
  const int64_t left = chain.levels ? block : extent;
  if (tile > 0 && tile < left) split(chain, extent, tile, balanced);
  return chain;
}

Chain parted(int64_t extent, int64_t part, int64_t block) {
  Chain chain = whole(extent);
  split(chain, extent, part, false);
  if (block > 0 && block < part) split(chain, extent, block, false);
  return chain;
}

std::vector<int64_t> tile_heights(const KernelInfo& kernel, const Machine& machine, double c_bytes) {
  const bool waits = halves_take_turns(machine) && kernel.lanes == 16 && kernel.op == KernelOp::brgemm;
  const bool pairs = kernel.a == "bf16" && c_bytes == 2;
  if (!waits || (c_bytes < 4 && !pairs) || kernel.dots || kernel.mr == 1) return {kernel.mr};
  const int64_t vectors = kernel.nr / kernel.lanes;
  const int64_t fewer = (pairs ? vectors_of_lower_tile_bf16 : vectors_of_lower_tile) / vectors;
  if (fewer >= kernel.mr || fewer < 1) return {kernel.mr};
  return {kernel.mr, fewer};
}

}  // namespace cortex
