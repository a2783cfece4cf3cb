// The innermost loop over the rows of register tiles, left to the kernel where it walks rows faster.
#pragma once

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/program.h"

namespace cortex {

// Sets program.kernel.tile_rows where calls do nothing but multiply, with at most bias and ReLU afterwards.
// Of windows, the taps that are left out may differ from row to row of a call (row_clip), not from call to
// call along the rows (clips). Everything else about `program` must be resolved.
void let_kernel_walk_rows(Program& program, const KernelInfo& kernel);

}  // namespace cortex
