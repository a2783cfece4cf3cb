// Lines of C that kernels ask for before they are due although C does not come from memory.
#pragma once

#include "polyopt/machine/machine.h"
#include "polyopt/schedule/program.h"

namespace cortex {

// Lets the program's calls ask for their lines of C if that pays on `machine`.
void ask_for_c(Program& program, const Machine& machine);

}  // namespace cortex
