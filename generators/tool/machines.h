// The machines to schedule for: one per instruction set.
#pragma once

#include <string>
#include <vector>

#include "polyopt/machine/machine.h"

namespace cortex {

// --isa as typed. "host": what this CPU has, capped by CORTEX_MAX_ISA. Any other need not run here.
Result<Isa> target_isa(const std::string& name);

// Refuses code for instruction sets whose microkernels this build lacks.
Status check_built(const std::vector<Isa>& isas);

// What is generated for where nothing is said: avx512 and avx2, those of them that were built.
std::vector<std::string> default_isas();

// `file`: a machine description, of which the caches and rates serve every ISA; empty: the host.
Result<std::vector<Machine>> machines(const std::vector<Isa>& isas, const std::string& file);

}  // namespace cortex
