// The innermost loop over the rows of register tiles, left to the kernel where it walks rows faster.
#pragma once

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/program.h"

namespace cortex {

// Sets program.kernel.tile_rows where calls do nothing but multiply, in batches of any kind but
// those of windows that leave the input, with at most bias and ReLU afterwards. Everything else about `program` must be resolved.
void let_kernel_walk_rows(Program& program, const KernelInfo& kernel);

}  // namespace cortex
