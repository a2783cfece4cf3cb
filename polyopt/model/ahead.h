// What a plan's kernels bring near before it is due (polyopt/schedule/program.h: ProgramPrefetch of B,
// ProgramAhead of A).
#pragma once

#include "polyopt/machine/machine.h"
#include "polyopt/model/stream.h"

namespace cortex {

// Of B's bytes from beyond L2: the share that nobody asked for ahead, which is that of the first visits of
// the loop along which B moves, and what windows whose taps lie apart leave out. It counts only where L2
// holds what one visit of the loops along which B stays reads (`depth`) and the next B besides; else, and
// where nothing is asked for (depth -1), all bytes are waited for.
struct Unasked {
  double share = 1;
  int depth = -1;
};

// Whether calls ask for the A of the next tile.
bool asks_for_a(const NestFacts& nest, const LoopPlan& plan, const Machine& machine);

Unasked unasked_share(const NestFacts& nest, const LoopPlan& plan, const Walk& walk);

}  // namespace cortex
