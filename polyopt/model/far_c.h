// A C beyond the caches: what calls of narrow vectors do about it (ProgramKernel::c_far).
#pragma once

#include "polyopt/model/walk.h"

namespace cortex {

enum class FarC { no, asked_for, past_caches };

// As resolve() sees it, of kernels of at most narrow_lanes lanes: those of wider ones count as `no`. Their
// costs were measured with what they ask for included.
FarC far_c(const NestFacts& nest, const LoopPlan& plan, const Walk& walk);

}  // namespace cortex
