// Loop orders worth scoring. A loop nest around a microkernel is a sequence of block loops, which say what
// the caches hold, and inside it the tile loops, which walk the register tiles of one block.
#pragma once

#include <array>
#include <span>

namespace cortex {

// What a block loop walks.
enum class Block : int { image, slab, column, chunk, row };
inline constexpr int block_kinds = 5;

struct BlockOrder {
  int count = 0;
  std::array<Block, block_kinds> block{};
};

// All sequences of the blocks in `present` (bit = Block) but those that walk slabs outside their image:
// they revisit every image without holding more of the weights.
std::span<const BlockOrder> block_orders(unsigned present);

// Tile loops inside a block.
enum class Tile : int { slab, column, row };
struct TileOrder {
  std::array<Tile, 3> tile;
};
// Columns outermost: a panel of B stays, A streams. Rows outermost: a tile of A stays, B streams.
inline constexpr std::array<TileOrder, 3> tile_orders = {{
    {{Tile::column, Tile::slab, Tile::row}},
    {{Tile::slab, Tile::column, Tile::row}},
    {{Tile::slab, Tile::row, Tile::column}},
}};

}  // namespace cortex
