// The machines to schedule for: one per instruction set.
#pragma once

#include <string>
#include <vector>

#include "polyopt/machine/machine.h"

namespace cortex {

// `file`: a machine description, of which the caches and rates serve every ISA; empty: the host.
Result<std::vector<Machine>> machines(const std::vector<Isa>& isas, const std::string& file);

}  // namespace cortex
