// The second step of a split reduction: what adding up the parts costs.
#pragma once

#include "polyopt/machine/machine.h"
#include "polyopt/model/plan.h"

namespace cortex {

// Cycles of the slowest thread, starting and joining others among them; 0 where nothing is split.
double sum_cycles(const NestFacts& nest, const Machine& machine, const LoopPlan& plan, double threads);

}  // namespace cortex
