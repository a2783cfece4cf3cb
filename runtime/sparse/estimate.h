// What a tiling and lists cost, in cycles of one thread.
#pragma once

#include <cstdint>

#include "polyopt/machine/machine.h"
#include "runtime/sparse/kept.h"
#include "runtime/sparse/tiles.h"

namespace cortex {

// Vector instructions in a cycle, and cycles; the defaults are those of an EPYC (Zen 5) with AVX-512 and hot
// caches: loops timed alone, g++ 12.2 -O2.
struct ListRates {
  double fmas = 1.95, loads = 1.9;
  double scalar = 1;           // what a load of a scalar takes of a vector's
  double line_from_l2 = 0.75;  // what shows beside the arithmetic
  double crossing = 2.1;       // loads that one across a line counts for
  double half_vector = 1;      // what the lower half of a vector takes of one
  bool in_halves = false;      // vectors are worked on in two halves
  // Of f32.
  double row_waits = 1.12;  // a row alone waits for its loads more than their number says
  double list_end_of_1 = 12, list_end_of_2 = 12, list_end_of_4 = 12;  // mostly foreseen, and its first loads
  double sum_moved = 0.75;                     // a vector of sums loaded or stored between blocks
  double finished = 2.5;                       // a vector through the epilogue to C
  double gathered = 1.9, half_gathered = 1.3;  // a vector of a panel or half of one: load, mask, store
  double first_touch = 1.5;                    // a line of the input read where it is
  double list_end(int rows) const {
    return rows == 1 ? list_end_of_1 : rows == 2 ? list_end_of_2 : list_end_of_4;
  }
};
// Of vectors of `lanes` elements of f32.
ListRates list_rates(const Machine& machine, int lanes);

struct SparseShape {
  int64_t channels = 0, blocks = 1;  // of which any group keeps a column
  PointVector vector;
  bool byte_dots = true;  // there is an instruction that multiplies and adds four bytes
  int64_t l1_bytes = 32768;
  ListRates rates;
};

double estimate_cycles(const Tiling& tiling, const Kept& kept, const SparseShape& shape);

}  // namespace cortex
