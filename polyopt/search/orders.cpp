#include "polyopt/search/orders.h"

#include <algorithm>
#include <vector>

namespace cortex {
namespace {

std::vector<BlockOrder> permutations(unsigned present) {
  std::vector<Block> blocks;
  for (int i = 0; i < block_kinds; ++i) {
    if ((present >> i) & 1u) blocks.push_back(static_cast<Block>(i));
  }
  std::vector<BlockOrder> all;
  do {
    BlockOrder order;
    bool slab_seen = false, legal = true;
    for (Block b : blocks) {
      if (b == Block::slab) slab_seen = true;
      if (b == Block::image && slab_seen) legal = false;
      order.block[order.count++] = b;
    }
    if (legal) all.push_back(order);
  } while (std::next_permutation(blocks.begin(), blocks.end()));
  return all;
}

}  // namespace

std::span<const BlockOrder> block_orders(unsigned present) {
  static const std::array<std::vector<BlockOrder>, 1u << block_kinds> table = [] {
    std::array<std::vector<BlockOrder>, 1u << block_kinds> all;
    for (unsigned i = 0; i < all.size(); ++i) all[i] = permutations(i);
    return all;
  }();
  return table[present];
}

}  // namespace cortex
