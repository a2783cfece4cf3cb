// The machines to schedule for: one per instruction set.
#pragma once

#include <string>
#include <vector>

#include "polyopt/machine/machine.h"

namespace cortex {

// --isa as typed. "host": what this CPU has, capped by CORTEX_MAX_ISA. Any other need not run here.
Result<Isa> target_isa(const std::string& name);

// `file`: a machine description, of which the caches and rates serve every ISA; empty: the host.
Result<std::vector<Machine>> machines(const std::vector<Isa>& isas, const std::string& file);

}  // namespace cortex
