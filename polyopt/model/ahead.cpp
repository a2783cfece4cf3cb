#include "polyopt/model/ahead.h"

#include <algorithm>

#include "polyopt/model/halves.h"
#include "polyopt/schedule/program.h"

namespace cortex {
namespace {

constexpr int rows_asked_for = 8;  // kernels of more rows have no registers left to ask with, but for AVX-512

}  // namespace

bool asks_for_a(const NestFacts& nest, const LoopPlan& plan, const Machine& machine) {
  const KernelInfo& kernel = *plan.kernel;
  const bool pairs = kernel.a == "bf16" && halves_take_turns(machine);
  const int64_t followed = pairs ? std::min(small_beside_l2(machine), followed_a) : followed_a;
  return kernel.op == KernelOp::brgemm && kernel.mr > 1 &&
         (kernel.mr <= rows_asked_for || kernel.lanes > 8) && plan.a_pack < 0 &&
         nest[Operand::a].bytes > static_cast<double>(followed);
}

// Panels that are left to prefetchers (followed_panels) count as asked for: they arrive as early.
Unasked unasked_share(const NestFacts& nest, const LoopPlan& plan, const Walk& walk) {
  if (plan.kernel->op != KernelOp::brgemm || plan.k_dim < 0 || plan.n_dim < 0) return {};
  if (plan.kernel->dots) return {};
  const OperandFacts& b = nest[Operand::b];
  const auto trips = [&](int i) { return plan.chain[plan.loop[i].dim]->level[plan.loop[i].level].trips; };
  // The loops of more than one tile along which B stays, and the one outside them.
  double visits = 1;
  int mover = plan.loops - 1, first = -1;
  for (; mover >= 0; --mover) {
    if (trips(mover) <= 1) continue;
    if (b.depends_on(plan.loop[mover].dim)) break;
    visits *= trips(mover);
    first = mover;
  }
  if (mover < 0 || first < 0) return {};
  const bool panels = plan.b_ahead || (plan.b_pack >= 0 && plan.b_panel && plan.b_pack <= mover);
  if (panels && visits < fewest_visits) return {};
  double units = 1;
  uint32_t counted = 0;
  for (int i = first; i < plan.loops; ++i) {
    const int dim = plan.loop[i].dim;
    if (trips(i) <= 1 || (counted >> dim & 1)) continue;
    counted |= uint32_t{1} << dim;
    units *= walk.length[first][dim];
  }
  double taps = 1;
  for (int d = 0; d < nest.dims; ++d) {
    if (plan.batch >> d & 1) taps *= walk.length[first][d];
  }
  const double rows = taps * walk.length[first][plan.k_dim];
  if (rows < units) return {};
  const double row_bytes = plan.kernel->nr * 4.0;
  if (plan.batch != 0 && rows * row_bytes > static_cast<double>(most_of_window)) return {};
  // A copy that stays while B moves is itself what comes next: its source is not asked for.
  if (plan.b_pack >= 0 && !plan.b_ahead && (plan.b_pack <= mover || plan.b_pack > first || plan.batch != 0))
    return {};
  if (plan.b_pack >= 0 && !plan.b_ahead) {  // nor that of a transposed one
    for (int i = 0; i < b.count; ++i) {
      if (b.terms[i].dim == plan.n_dim && b.terms[i].stride != b.elem) return {};
    }
  }
  // Where taps lie apart, a call's share ends with a tap: half a share is lost at each of them; where the
  // kernel walks the rows, all taps' but one, which no schedule of the shipped lists has.
  const bool apart = walk.length[first][plan.k_dim] < nest.extent[plan.k_dim];
  const double lost = apart ? std::min(1.0, (taps - 1) / (2 * visits)) : 0;
  return {1 - (1 - 1 / trips(mover)) * (1 - lost), first};
}

}  // namespace cortex
