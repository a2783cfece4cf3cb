// Lines of C, and of bf16 those of the next tile of A, that kernels ask for before they are due although they
// do not come from memory.
#pragma once

#include "polyopt/machine/machine.h"
#include "polyopt/schedule/program.h"

namespace cortex {

// Lets the program's calls ask for them if that pays on `machine`.
void ask_for_c(Program& program, const Machine& machine);

}  // namespace cortex
