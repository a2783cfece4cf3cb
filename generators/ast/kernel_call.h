// The microkernel call of a Program: every argument as an expression over the loop variables.
#pragma once

#include "generators/ast/operands.h"

namespace cortex {

struct KernelCall {
  std::vector<Let> lets;  // what the call's fields use: the taps that do not fall in padding
  Call call;
};

// Offset tables, where the batch needs them, are added to `f`.
Result<KernelCall> kernel_call(const Program& program, const TileLoops& loops, const Operands& operands,
                               Function& f);

}  // namespace cortex
