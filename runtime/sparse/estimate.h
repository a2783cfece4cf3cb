// What a tiling and lists cost, in cycles of one thread.
#pragma once

#include <cstdint>

#include "runtime/sparse/kept.h"
#include "runtime/sparse/tiles.h"

namespace cortex {

struct SparseShape {
  int64_t channels = 0, blocks = 1;  // of which any group keeps a column
  PointVector vector;
  int64_t l1_bytes = 32768;
};

double estimate_cycles(const Tiling& tiling, const Kept& kept, const SparseShape& shape);

}  // namespace cortex
