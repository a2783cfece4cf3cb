#include "polyopt/model/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "polyopt/schedule/program.h"

namespace cortex {

std::vector<int> batch_order(const NestFacts& nest, uint32_t dims) {
  const OperandFacts& a = nest[Operand::a];
  std::vector<std::pair<double, int>> batch;
  for (int d = 0; d < nest.dims; ++d) {
    if (!((dims >> d) & 1u)) continue;
    double stride = 0;
    for (int i = 0; i < a.count; ++i) {
      if (a.terms[i].dim == d) stride += a.terms[i].stride;
    }
    batch.emplace_back(-stride, d);
  }
  std::sort(batch.begin(), batch.end());
  std::vector<int> order;
  for (const auto& [stride, d] : batch) order.push_back(d);
  return order;
}

Schedule to_schedule(const LoopPlan& plan, const NestFacts& nest) {
  Schedule schedule;
  for (int i = 0; i < plan.loops; ++i) {
    const PlanLoop& loop = plan.loop[i];
    const ChainLevel& level = plan.chain[loop.dim]->level[loop.level];
    schedule.loops.push_back({loop.dim, level.step, level.balanced, loop.threads, loop.parallel, loop.split});
  }
  if (plan.a_pack >= 0) schedule.packs.push_back({Operand::a, plan.a_pack, PackForm::box, plan.a_pad, false});
  if (plan.b_pack >= 0) {
    const PackForm form = plan.b_panel ? PackForm::panel : PackForm::box;
    schedule.packs.push_back({Operand::b, plan.b_pack, form, 0, plan.b_ahead});
  }
  std::stable_sort(schedule.packs.begin(), schedule.packs.end(),
                   [](const Pack& x, const Pack& y) { return x.depth < y.depth; });
  schedule.tile.kernel = std::string(plan.kernel->name);
  schedule.tile.m_dim = plan.m_dim;
  schedule.tile.n_dim = plan.n_dim;
  schedule.tile.k_dim = plan.k_dim;
  schedule.tile.rows_dim = plan.rows_dim;
  schedule.tile.batch_dims = batch_order(nest, plan.batch);
  return schedule;
}

Result<LoopPlan> to_plan(const Nest& nest, const Schedule& schedule, int threads, PlanChains& chains) {
  LoopPlan plan;
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
    chains[d] = whole(nest.dims[d].extent);
    plan.chain[d] = &chains[d];
  }
  for (const Loop& loop : schedule.loops) {
    Chain& chain = chains[loop.dim];
    if (chain.levels == chain_max_levels) {
      return unsupported(fmt::format("predicting {}: more than {} loops over dim {}", nest.name,
                                     chain_max_levels, nest.dims[loop.dim].name));
    }
    plan.loop[plan.loops++] = {loop.dim, chain.levels, loop.parallel, threads > 1 ? loop.threads : 1,
                               loop.split};
    split(chain, nest.dims[loop.dim].extent, loop.step, loop.balanced);
  }
  plan.kernel = find_kernel(schedule.tile.kernel);
  plan.m_dim = schedule.tile.m_dim;
  plan.n_dim = schedule.tile.n_dim;
  plan.k_dim = schedule.tile.k_dim;
  plan.rows_dim = schedule.tile.rows_dim;
  for (int d : schedule.tile.batch_dims) plan.batch |= 1u << d;
  plan.work = clipped_work(nest, schedule);
  plan.edge_share = row_edge_share(nest, schedule);
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
  return plan;
}

}  // namespace cortex
