#include "polyopt/model/parts.h"

#include <algorithm>

#include "polyopt/schedule/split.h"

namespace cortex {
namespace {

// Of a call that adds up one row of a tile besides its loads: AMD EPYC (Zen 5), two parts of 1x16 and 1x64.
constexpr double row_cycles = 40;

}  // namespace

double sum_cycles(const NestFacts& nest, const Machine& machine, const LoopPlan& plan, double threads) {
  double parts = 0;
  for (int i = 0; i < plan.loops && i < CORTEX_MAX_PARALLEL_LOOPS; ++i) {
    const PlanLoop& loop = plan.loop[i];
    if (loop.split) parts = plan.chain[loop.dim]->level[loop.level].trips;
  }
  if (parts == 0) return 0;
  const double bytes = nest[Operand::c].bytes, columns = plan.n_dim < 0 ? 1 : nest.extent[plan.n_dim];
  const double rows = bytes / nest[Operand::c].elem / std::min(columns, 64.0);
  // Other threads' parts come from the cache they share.
  const CacheLevel& shared = machine.caches.back();
  const double cycles = rows * row_cycles + parts * bytes / shared.read_bytes_per_cycle;
  if (threads <= 1 || parts * bytes < static_cast<double>(bytes_worth_threads)) return cycles;
  return cycles / threads + machine.costs.barrier;
}

}  // namespace cortex
