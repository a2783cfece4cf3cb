// A dependence without the dims in which its two ends agree: small enough to test for every schedule.
//
// Exact, because a loop's tile index depends on the coordinate of the loop's own dim and on nothing
// else (tiling.h). Where a dependence forces equal coordinates in a dim, all loops over that dim have
// equal tile indices at both ends: they neither order the two nor set them apart, and the other dims
// can be looked at alone. In a matmul or convolution what remains are the reduction dims.
#pragma once

#include <vector>

#include "polyopt/isl/flow.h"
#include "polyopt/schedule/schedule.h"

namespace cortex::polyhedral {

struct ReducedFlow {
  std::vector<int> dims;  // nest dims that may differ between the ends
  Map relation;           // { [x] -> [y] } over dims. I and E stand where they run: with their
                          // element's first and last update
  bool ordered = true;    // false: updates of one reduction, which need only be kept apart
};

Result<ReducedFlow> reduce(const Context& context, const Nest& nest, const Flow& flow);

// Whether the schedule keeps the dependence. When it does not, check_order() finds out why.
Result<bool> respects(const Context& context, const Nest& nest, const Schedule& schedule,
                      const ReducedFlow& flow);

}  // namespace cortex::polyhedral
