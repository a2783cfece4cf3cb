#include "polyopt/model/chain.h"

#include <algorithm>

#include "support/checked.h"

namespace cortex {
namespace {

void add(TileSizes& tiles, int64_t size, double number) {
  if (size <= 0 || number <= 0) return;
  for (int i = 0; i < tiles.count; ++i) {
    if (tiles.size[i] == size) {
      tiles.number[i] += number;
      return;
    }
  }
  if (tiles.count == static_cast<int>(tiles.size.size())) {
    tiles.number[tiles.count - 1] += number;  // keeps the count of tiles; sizes this mixed differ little
    return;
  }
  tiles.size[tiles.count] = size;
  tiles.number[tiles.count++] = number;
}

double number_of(const TileSizes& tiles) {
  double sum = 0;
  for (int i = 0; i < tiles.count; ++i) sum += tiles.number[i];
  return sum;
}

}  // namespace

Chain whole(int64_t extent) {
  Chain chain;
  add(chain.tiles, extent, 1);
  return chain;
}

void split(Chain& chain, int64_t extent, int64_t step, bool balanced) {
  const double before = number_of(chain.tiles);
  TileSizes tiles;
  for (int i = 0; i < chain.tiles.count; ++i) {
    const int64_t size = chain.tiles.size[i];
    const double number = chain.tiles.number[i];
    const int64_t trips = ceil_div(size, step);
    if (balanced) {
      const int64_t small = size / trips, longer = size % trips;
      add(tiles, small + 1, number * static_cast<double>(longer));
      add(tiles, small, number * static_cast<double>(trips - longer));
    } else {
      add(tiles, std::min(step, size), number * static_cast<double>(size / step ? size / step : 1));
      if (size > step) add(tiles, size % step, number);
    }
  }
  chain.tiles = tiles;
  const double after = number_of(tiles);
  ChainLevel& level = chain.level[chain.levels++];
  level.step = step;
  level.balanced = balanced;
  level.trips = after / before;
  level.length = static_cast<double>(extent) / after;
}

}  // namespace cortex
