// What a core multiplies at best: what rooflines and percents of peak are held against.
#pragma once

#include "graph/nest/dtype.h"
#include "polyopt/machine/machine.h"

namespace cortex {

struct Peak {
  const char* instruction = "FMA";     // the one that multiplies fastest
  double multiply_adds_per_cycle = 0;  // of elements, one core
  bool tiles = false;                  // in tile registers

  double gflops(const Machine& machine, int threads) const {
    return 2 * machine.ghz * multiply_adds_per_cycle * threads;
  }
};

// Of products of `a`: the type of A in a nest, units or (depthwise windows) elements. Where the level has no
// instruction for it, that is as many as FMAs do, of values that are widened first; of bytes, which AVX2 and
// AVX-512 widen to 16 bits only, twice as many.
Peak peak_of(const Machine& machine, DataType a);

}  // namespace cortex
