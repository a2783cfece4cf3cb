#include "polyopt/model/predict.h"

#include <fmt/format.h>

#include <algorithm>

#include "polyopt/model/score.h"

namespace cortex {

Result<Prediction> predict(const Nest& nest, const Schedule& schedule, const Machine& machine, int threads) {
  if (Status s = check(schedule, nest); !s) return s.error();
  const Result<NestFacts> facts = gather_facts(nest);
  if (!facts) return facts.error();

  std::array<Chain, facts_max_dims> chains;
  Plan plan;
  for (int d = 0; d < facts->dims; ++d) {
    chains[d] = whole(nest.dims[d].extent);
    plan.chain[d] = &chains[d];
  }
  for (const Loop& loop : schedule.loops) {
    Chain& chain = chains[loop.dim];
    if (chain.levels == chain_max_levels) {
      return unsupported(fmt::format("predicting {}: more than {} loops over dim {}", nest.name,
                                     chain_max_levels, nest.dims[loop.dim].name));
    }
    plan.loop[plan.loops++] = {loop.dim, chain.levels, loop.parallel, threads > 1 ? loop.threads : 1};
    split(chain, nest.dims[loop.dim].extent, loop.step, loop.balanced);
  }
  plan.kernel = find_kernel(schedule.tile.kernel);
  plan.m_dim = schedule.tile.m_dim;
  plan.n_dim = schedule.tile.n_dim;
  plan.k_dim = schedule.tile.k_dim;
  for (int d : schedule.tile.batch_dims) plan.batch |= 1u << d;
  for (const Pack& pack : schedule.packs) {
    if (pack.operand == Operand::a) {
      plan.a_pack = pack.depth;
      plan.a_pad = pack.pitch_pad;
    } else {
      plan.b_pack = pack.depth;
      plan.b_ahead = pack.ahead_of_time;
      plan.b_panel = pack.form == PackForm::panel;
    }
  }
  Prediction prediction;
  Model(*facts, machine).score(plan, &prediction);
  add_bounds(prediction, *facts, machine, threads);
  return prediction;
}

void add_bounds(Prediction& prediction, const NestFacts& nest, const Machine& machine, int threads) {
  double bytes = 0;
  for (const OperandFacts& operand : nest.operand) bytes += operand.bytes;
  if (nest.epilogue_reads_c_shape) bytes += nest[Operand::c].bytes;
  prediction.io_lower_bound_bytes = bytes;
  const int used = std::min(threads, machine.cores);
  const double compute = 2 * nest.points / (machine.peak_gflops(std::max(used, 1)) * 1e9);
  const double rate =
      std::min(machine.memory_read_bytes_per_cycle * used, machine.memory_bytes_per_cycle_all);
  prediction.roofline_seconds = std::max(compute, bytes / (rate * machine.ghz * 1e9));
}

}  // namespace cortex
