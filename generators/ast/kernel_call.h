// The microkernel call of a Program: every argument as an expression over the loop variables.
#pragma once

#include "generators/ast/operands.h"

namespace cortex {

// Offset tables, where the batch needs them, are added to `f`.
Result<Call> kernel_call(const Program& program, const TileLoops& loops, const Operands& operands,
                         Function& f);

}  // namespace cortex
