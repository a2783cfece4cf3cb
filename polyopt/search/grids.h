// How threads divide the parallel loops of a plan.
#pragma once

#include "cortex/kernel_library.h"
#include "polyopt/model/plan.h"

namespace cortex {

// Marks the loops that may be divided: a prefix over parallel dims, outside any copy made in execute()
// if what is outside it feeds `threads`.
void mark_parallel(LoopPlan& plan, const NestFacts& nest, int threads);

// Thread grids with the most even shares, best first, at most `most`; sets no grid where one thread is
// all there is. Calls `use` with the plan holding each of them.
template <typename Use>
void for_each_grid(LoopPlan& plan, int threads, int most, Use&& use);

struct Grid {
  std::array<int, CORTEX_MAX_PARALLEL_LOOPS> threads{1, 1, 1, 1};
  double share = 1;
  int product = 1;
};
// Fills `best` (capacity `most`), returns how many.
int best_grids(const LoopPlan& plan, int threads, Grid* best, int most);
void apply_grid(LoopPlan& plan, const Grid& grid);

template <typename Use>
void for_each_grid(LoopPlan& plan, int threads, int most, Use&& use) {
  std::array<Grid, 8> grids;
  const int count = threads > 1 ? best_grids(plan, threads, grids.data(), most < 8 ? most : 8) : 0;
  if (count == 0) use(plan);
  for (int i = 0; i < count; ++i) {
    apply_grid(plan, grids[i]);
    use(plan);
  }
}

}  // namespace cortex
