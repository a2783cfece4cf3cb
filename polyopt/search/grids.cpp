#include "polyopt/search/grids.h"

#include <algorithm>
#include <cmath>

namespace cortex {
namespace {

double trips_of(const LoopPlan& plan, int loop) {
  const PlanLoop& l = plan.loop[loop];
  return plan.chain[l.dim]->level[l.level].trips;
}

struct Enumeration {
  const LoopPlan& plan;
  int loops;
  bool exact;  // factors of the thread count only
  Grid* best;
  int most, found = 0;
  Grid grid;

  void offer() {
    int at = std::min(found, most);
    const auto better = [&](const Grid& x) {
      return grid.share < x.share - 1e-12 || (grid.share < x.share + 1e-12 && grid.product < x.product);
    };
    while (at > 0 && better(best[at - 1])) {
      if (at < most) best[at] = best[at - 1];
      --at;
    }
    if (at < most) {
      best[at] = grid;
      found = std::min(found + 1, most);
    }
  }

  void descend(int i, int left) {
    if (i == loops) {
      if (!exact || left == 1) offer();
      return;
    }
    const double trips = trips_of(plan, i);
    const Grid saved = grid;
    for (int g = 1; g <= left && g <= trips + 1e-9; ++g) {
      if (exact && left % g) continue;
      grid.threads[static_cast<std::size_t>(i) % grid.threads.size()] = g;
      grid.share = saved.share * std::ceil(trips / g - 1e-9) / trips;
      grid.product = saved.product * g;
      descend(i + 1, left / g);
    }
    grid = saved;
  }
};

}  // namespace

void mark_parallel(LoopPlan& plan, const NestFacts& nest, int threads) {
  const int first_copy = std::min(plan.a_pack >= 0 ? plan.a_pack : plan.loops,
                                  plan.b_pack >= 0 && !plan.b_ahead ? plan.b_pack : plan.loops);
  double tiles = 1;
  for (int i = 0; i < plan.loops; ++i) {
    plan.loop[i].parallel = false;
    plan.loop[i].threads = 1;
  }
  for (int i = 0; i < plan.loops && i < CORTEX_MAX_PARALLEL_LOOPS; ++i) {
    if (nest.is_reduction(plan.loop[i].dim) && !plan.loop[i].split) break;
    if (i >= first_copy && tiles >= std::max(threads, 2)) break;
    plan.loop[i].parallel = true;
    tiles *= trips_of(plan, i);
  }
}

int best_grids(const LoopPlan& plan, int threads, Grid* best, int most) {
  int loops = 0;
  while (loops < std::min<int>(plan.loops, CORTEX_MAX_PARALLEL_LOOPS) && plan.loop[loops].parallel) ++loops;
  if (loops == 0) return 0;
  Enumeration exact{plan, loops, true, best, most, 0, {}};
  exact.descend(0, threads);
  if (exact.found > 0) return exact.found;
  Enumeration any{plan, loops, false, best, most, 0, {}};
  any.descend(0, threads);
  return any.found;
}

void apply_grid(LoopPlan& plan, const Grid& grid) {
  for (std::size_t i = 0; i < grid.threads.size(); ++i) {
    if (static_cast<int>(i) < plan.loops && plan.loop[i].parallel) plan.loop[i].threads = grid.threads[i];
  }
}

}  // namespace cortex
