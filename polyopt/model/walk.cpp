#include "polyopt/model/walk.h"

#include <algorithm>
#include <cmath>

namespace cortex {

Walk::Walk(const NestFacts& nest, const Plan& plan) {
  length[0] = nest.extent;
  visits[0] = 1;
  for (int i = 0; i < plan.loops; ++i) {
    const PlanLoop& loop = plan.loop[i];
    const ChainLevel& level = plan.chain[loop.dim]->level[loop.level];
    length[i + 1] = length[i];
    length[i + 1][loop.dim] = level.length;
    double trips = level.trips;
    if (nest.is_reduction(loop.dim)) reduction_chunks *= trips;
    if (loop.threads > 1) {
      const double mine = std::ceil(trips / loop.threads - 1e-9);
      share *= mine / trips;
      threads *= std::min<double>(loop.threads, std::ceil(trips));
      trips = mine;
    }
    visits[i + 1] = visits[i] * trips;
  }
}

}  // namespace cortex
