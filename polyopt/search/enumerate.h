// Enumerates the plans of one kernel in one assignment of roles and scores each.
#pragma once

#include <deque>

#include "polyopt/model/score.h"
#include "polyopt/search/best.h"
#include "polyopt/search/roles.h"
#include "polyopt/search/search.h"

namespace cortex {

struct SearchSpace {
  const Model& model;
  const SearchOptions& options;
  bool b_constant;
  std::deque<Chain> chains;  // plans point into it
  BestPlans best;
  int64_t scored = 0;

  const NestFacts& nest() const { return model.nest(); }

  const Chain* keep(const Chain& chain) { return &chains.emplace_back(chain); }
};

// How finely tile sizes are sampled: most sizes per blocked dim.
struct Fineness {
  std::size_t sizes = 3;
};

void enumerate(SearchSpace& space, const Roles& roles, const KernelInfo& kernel, const Fineness& fineness);

// Kernel cycles of the plan without any blocks: what ranks kernels before they are searched.
double bare_cycles(SearchSpace& space, const Roles& roles, const KernelInfo& kernel);

}  // namespace cortex
