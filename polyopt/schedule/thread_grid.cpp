#include <algorithm>

#include "polyopt/schedule/program.h"
#include "polyopt/schedule/ranges.h"
#include "support/checked.h"

namespace cortex {
namespace {

using Grid = std::array<int, CORTEX_MAX_PARALLEL_LOOPS>;

struct Best {
  Grid grid;
  double share = 2.0;  // largest part of the work one thread gets
  int product = 1;
};

void enumerate(const std::vector<int64_t>& trips, std::size_t i, int left, double share, int product,
               Grid& grid, Best& best) {
  if (i == std::min(trips.size(), grid.size())) {
    // Fewer threads win ties: a thread without work only costs its wake-up.
    if (share < best.share - 1e-12 || (share < best.share + 1e-12 && product < best.product)) {
      best = {grid, share, product};
    }
    return;
  }
  const int most = static_cast<int>(std::min<int64_t>(left, trips[i]));
  for (int g = 1; g <= most; ++g) {
    grid[i] = g;
    const double part = static_cast<double>(ceil_div(trips[i], g)) / static_cast<double>(trips[i]);
    enumerate(trips, i + 1, left / g, share * part, product * g, grid, best);
  }
  grid[i] = 1;
}

}  // namespace

Grid thread_grid(const Program& program, int threads) {
  Grid grid;
  grid.fill(1);
  std::vector<int64_t> trips;
  int product = 1;
  for (std::size_t i = 0; i < std::min(program.loops.size(), grid.size()) && program.loops[i].parallel; ++i) {
    trips.push_back(max_trips(program.nest, program.schedule, static_cast<int>(i)));
    grid[i] = program.loops[i].threads;
    product *= grid[i];
  }
  if (product == threads) return grid;
  grid.fill(1);
  Best best{grid};
  enumerate(trips, 0, std::max(threads, 1), 1.0, 1, grid, best);
  return best.grid;
}

}  // namespace cortex
