#include "polyopt/schedule/ranges.h"

#include <algorithm>

#include "support/checked.h"

namespace cortex {

int64_t max_range(const Nest& nest, const Schedule& schedule, int dim, int depth) {
  int64_t range = nest.dims[dim].extent;
  for (int i = 0; i < depth; ++i) {
    const Loop& loop = schedule.loops[i];
    if (loop.dim != dim) continue;
    // Also for balanced loops: their tiles never exceed the step, and a shorter range may reach it.
    range = std::min(range, loop.step);
  }
  return range;
}

int64_t max_trips(const Nest& nest, const Schedule& schedule, int index) {
  const Loop& loop = schedule.loops[index];
  return ceil_div(max_range(nest, schedule, loop.dim, index), loop.step);
}

bool leaves_tensor(const Nest& nest, const Access& access, int j) {
  const AffineExpr& e = access.subscripts[j];
  int64_t last = e.constant;
  for (const AffineTerm& t : e.terms) last += t.coeff * (nest.dims[t.dim].extent - 1);
  return e.constant < 0 || last >= access.tensor.shape[j];
}

const Pack* find_pack(const Schedule& schedule, Operand operand) {
  for (const Pack& pack : schedule.packs) {
    if (pack.operand == operand) return &pack;
  }
  return nullptr;
}

}  // namespace cortex
