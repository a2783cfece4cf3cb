// Chain: the tile sizes one dim is cut into, outermost first. Trip counts are averages over the whole
// dim, so that products of them are exact counts even when nothing divides.
#pragma once

#include <array>
#include <cstdint>

namespace cortex {

inline constexpr int chain_max_levels = 4;

struct ChainLevel {
  int64_t step = 1;
  bool balanced = false;
  double trips = 1;   // tiles per visit, on average
  double length = 1;  // iterations per tile, on average
};

// Distinct sizes of the innermost tiles.
struct TileSizes {
  int count = 0;
  std::array<int64_t, 6> size{};
  std::array<double, 6> number{};
};

struct Chain {
  int levels = 0;
  std::array<ChainLevel, chain_max_levels> level{};
  TileSizes tiles;
};

// A chain without levels: one tile, the whole extent.
Chain whole(int64_t extent);

// Cuts the innermost tiles of `chain` once more.
void split(Chain& chain, int64_t extent, int64_t step, bool balanced);

}  // namespace cortex
