#include "polyopt/model/walk.h"

#include <algorithm>
#include <cmath>

namespace cortex {
namespace {

// Tiles' worth of work of the slowest of `threads` threads. Each has a run of neighbouring tiles; the last
// one has as many as any, the short tile at the end among them.
double largest_part(double trips, int threads, const ChainLevel& level, double length) {
  const double tiles = std::ceil(trips - 1e-9), each = std::ceil(tiles / threads);
  if (level.balanced) return each * trips / tiles;
  const double step = static_cast<double>(level.step);
  const double over = std::fmod(tiles, threads);  // threads that have `each` tiles, if not all
  const double others = over == 1 ? each - 1 : each;
  const double last = each - 1 + (length - (tiles - 1) * step) / step;
  // In tiles of average size, as trips are.
  return std::max(others, last) * step * trips / length;
}

}  // namespace

Walk::Walk(const NestFacts& nest, const LoopPlan& plan) {
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
      const double mine = largest_part(trips, loop.threads, level, length[i][loop.dim]);
      share *= mine / trips;
      threads *= std::min<double>(loop.threads, std::ceil(trips));
      trips = mine;
    }
    visits[i + 1] = visits[i] * trips;
  }
}

}  // namespace cortex
