// What a tiling and lists cost, in cycles of one thread.
#pragma once

#include <cstdint>

#include "polyopt/machine/machine.h"
#include "runtime/sparse/kept.h"
#include "runtime/sparse/tiles.h"

namespace cortex {

// Vector instructions in a cycle; what a load of a scalar takes of a vector's; cycles of a line from L2 that
// show beside the arithmetic. Where vectors are worked on in halves: half of one takes half the time, and of
// one that crosses a line, only one half does.
struct ListRates {
  double fmas = 1.95, loads = 1.9, scalar = 1, line_from_l2 = 0.75;
  bool in_halves = false;
  double half_vector() const { return in_halves ? 0.5 : 1; }
  double crossing() const { return in_halves ? 1.5 : 2.1; }  // loads that one across a line counts for
};
// Of vectors of `lanes` elements of f32.
ListRates list_rates(const Machine& machine, int lanes);

struct SparseShape {
  int64_t channels = 0, blocks = 1;  // of which any group keeps a column
  PointVector vector;
  int64_t l1_bytes = 32768;
  ListRates rates;
};

double estimate_cycles(const Tiling& tiling, const Kept& kept, const SparseShape& shape);

}  // namespace cortex
