// Working sets per reuse: how much data is touched between two uses of one element.
//
// As PolyDL defines them (Tavarageri et al., "PolyDL: Polyhedral Optimizations for Creation of High
// Performance DL Primitives", 2021, section 4): for a dependence, the first source in the schedule's order
// that has a target, its nearest and its farthest target; the distinct elements of all operands that are
// touched from the source to the target, both included. A cache that holds the nearest working set serves
// some of the reuse, one that holds the farthest serves all of it.
//
// The unit of time is the kernel call: what happens within one is the microkernel's, whose operands are its
// tile. A schedule of loops of step 1 around nothing gives the definition on single iterations.
#pragma once

#include <array>
#include <string>

#include "polyopt/analysis/calls.h"
#include "support/result.h"

namespace cortex {

struct WorkingSet {
  polyhedral::CallIndex target;  // the call that uses the element again
  std::array<int64_t, operand_count> elements{};

  int64_t total() const { return elements[0] + elements[1] + elements[2]; }
  int64_t bytes(const Nest& nest) const;
};

// Reuse of `operand` between calls that agree in all loops outside `loop` and differ in it. RAR on A and B;
// on C, RAW: a partial sum that is taken up again.
struct Reuse {
  Operand operand = Operand::a;
  int loop = 0;
  polyhedral::CallIndex source;
  WorkingSet nearest, farthest;
};

const char* reuse_kind(Operand operand);  // "RAR", "RAW"

// In closed form, per operand and loop, those loops left out that carry no reuse. Refuses where an image is
// no product (see image.h); polyopt/isl/working_set.h counts those.
Result<std::vector<Reuse>> working_sets(const Nest& nest, const Schedule& schedule);

}  // namespace cortex
