// Compute cost of a LoopPlan: microkernel calls with their operands at hand, the loops around them, packing.
#pragma once

#include "polyopt/machine/machine.h"
#include "polyopt/model/far_c.h"
#include "polyopt/model/walk.h"

namespace cortex {

// Instructions at the rate of multiply-adds that stand for one vdpbf16ps where pairs are widened: of 12x32
// outputs 76 for 24.
inline constexpr double widened_pair = 76.0 / 24;

struct KernelCycles {
  double steps = 0;  // along the reduction
  double calls = 0;  // to start calls and to finish tiles

  double sum() const { return steps + calls; }
};

// Cycles on one thread for the whole nest.
KernelCycles kernel_cycles(const NestFacts& nest, const Machine& machine, const LoopPlan& plan,
                           double reduction_chunks, FarC c_far);

// Cycles a kernel waits for one line of B that comes from memory, beyond those it computes with it.
double wait_per_line(const Machine& machine, const LoopPlan& plan, const Walk& walk, double line);

// Cycles the loops themselves take on one thread.
double loop_cycles(const Machine& machine, const LoopPlan& plan, const Walk& walk);

// Cycles the slowest thread spends copying, sources and copies in cache.
double pack_cycles(const NestFacts& nest, const Machine& machine, const LoopPlan& plan, const Walk& walk);

}  // namespace cortex
