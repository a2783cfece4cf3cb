#include "polyopt/model/predict.h"

#include <fmt/format.h>

#include <algorithm>

#include "polyopt/model/peak.h"
#include "polyopt/model/score.h"

namespace cortex {

Result<Prediction> predict(const Nest& nest, const Schedule& schedule, const Machine& machine, int threads) {
  if (Status s = check(schedule, nest); !s) return s.error();
  const Result<NestFacts> facts = gather_facts(nest);
  if (!facts) return facts.error();

  PlanChains chains;
  const Result<LoopPlan> plan = to_plan(nest, schedule, threads, chains);
  if (!plan) return plan.error();
  Prediction prediction;
  Model(*facts, machine).score(*plan, &prediction);
  add_bounds(prediction, *facts, machine, threads);
  return prediction;
}

void add_bounds(Prediction& prediction, const NestFacts& nest, const Machine& machine, int threads) {
  double bytes = 0;
  for (const OperandFacts& operand : nest.operand) bytes += operand.bytes;
  if (nest.epilogue_reads_c_shape) bytes += nest[Operand::c].bytes;
  prediction.io_lower_bound_bytes = bytes;
  const int used = std::min(threads, machine.cores);
  const double peak = peak_of(machine, nest.a_type).gflops(machine, std::max(used, 1)) * 1e9;
  const double compute = 2 * nest.points * static_cast<double>(length_of(nest.a_type)) / peak;
  const double rate =
      std::min(machine.memory_read_bytes_per_cycle * used, machine.memory_bytes_per_cycle_all);
  prediction.roofline_seconds = std::max(compute, bytes / (rate * machine.ghz * 1e9));
}

}  // namespace cortex
