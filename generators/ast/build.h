// Program -> loop IR: tile loops, packs and the microkernel call in the order of the schedule tree.
#pragma once

#include <string>

#include "generators/loop_ir/loop_ir.h"
#include "polyopt/schedule/program.h"

namespace cortex {

// `name` becomes the function's name. The result verifies.
Result<Function> build_function(const Program& program, const std::string& name);

}  // namespace cortex
