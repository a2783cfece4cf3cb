// Which kernels of bitmaps there are, and what they cost.
#pragma once

#include "runtime/sparse/bitmap.h"

namespace cortex {

struct BitmapFunctions {
  Isa isa;  // that the kernel needs, at least
  const char* name;
  cortex_bitmap_fn run;
  int lanes, rows;  // that one pass over the weights serves
  // Cycles of a vector of weights: expanded, and multiplied with `rows_within` rows meanwhile; with each row
  // beyond them (0: as long as an FMA).
  double expand;
  int rows_within;
  double row;
  bool outrun = false;  // dense kernels read all weights sooner, from wherever these come
};

// The best for sources of this type.
const BitmapFunctions& bitmap_functions(DataType src, Isa level);

// Seconds of one thread.
double estimate_bitmap(const BitmapKernel& kernel, const BitmapFunctions& functions, const Machine& machine);

}  // namespace cortex
