// Working sets per reuse, counted by isl: the second opinion on polyopt/analysis/working_set.h, and the way
// for nests that have no closed form.
#pragma once

#include "polyopt/analysis/working_set.h"

namespace cortex {

// isl's relations and counting throughout; seconds where the closed form takes microseconds.
Result<std::vector<Reuse>> counted_working_sets(const Nest& nest, const Schedule& schedule);

struct WorkingSets {
  std::vector<Reuse> reuses;
  std::string counted_because;  // why not in closed form; empty: they are
};

// In closed form where there is one, else by isl.
Result<WorkingSets> any_working_sets(const Nest& nest, const Schedule& schedule);

}  // namespace cortex
