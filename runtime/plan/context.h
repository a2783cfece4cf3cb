// What plans may use: instruction set, machine, generated libraries.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cortex/cell_library.h"
#include "cortex/kernel_library.h"
#include "polyopt/machine/machine.h"
#include "support/cpu.h"
#include "support/result.h"

namespace cortex {

struct Context {
  Isa isa = Isa::baseline;
  Machine machine;
  std::vector<const cortex_kernel_library*> libraries;  // in the order they were added
  std::vector<const cortex_cell_library*> cells;        // likewise
};

// max_isa nullopt: CORTEX_MAX_ISA, else what the CPU has. machine_path nullopt: this machine.
Result<Context> make_context(const std::optional<std::string>& max_isa,
                             const std::optional<std::string>& machine_path);

}  // namespace cortex
