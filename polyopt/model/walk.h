// The loops of a LoopPlan in numbers: how long every dim's range is at every depth, how often each depth is
// entered, and what share of the work the slowest thread has.
#pragma once

#include "polyopt/model/plan.h"

namespace cortex {

inline constexpr int walk_depths = plan_max_loops + 1;

struct Walk {
  // Left uninitialised beyond plan.loops: a Walk is made for every variant scored.
  std::array<std::array<double, facts_max_dims>, walk_depths> length;
  std::array<double, walk_depths> visits;  // product of trips outside, of the slowest thread
  double share = 1;                        // of the whole work that the slowest thread has
  double threads = 1;                      // at work
  double reduction_chunks = 1;             // times a tile of C is visited

  Walk(const NestFacts& nest, const LoopPlan& plan);
};

}  // namespace cortex
