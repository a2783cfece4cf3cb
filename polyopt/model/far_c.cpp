#include "polyopt/model/far_c.h"

#include <cmath>

#include "polyopt/schedule/program.h"

namespace cortex {

FarC far_c(const NestFacts& nest, const LoopPlan& plan, const Walk& walk) {
  const KernelInfo& kernel = *plan.kernel;
  const OperandFacts& c = nest[Operand::c];
  if (kernel.op != KernelOp::brgemm || kernel.lanes > narrow_lanes || plan.m_dim < 0) return FarC::no;
  if (c.bytes <= static_cast<double>(stays_in_cache)) return FarC::no;
  double steps = 1, pitch = 0;
  for (int d = 0; d < nest.dims; ++d) steps *= nest.is_reduction(d) ? nest.extent[d] : 1;
  for (int i = 0; i < c.count; ++i) pitch = c.terms[i].dim == plan.m_dim ? c.terms[i].stride : pitch;
  const double in_line = 64 / c.elem;
  const bool lines = plan.n_dim >= 0 && std::fmod(pitch, 64) == 0 && std::fmod(kernel.nr, in_line) == 0 &&
                     std::fmod(nest.extent[plan.n_dim], in_line) == 0;
  const bool read = walk.reduction_chunks > 1 || nest.epilogue_reads_c_shape;
  const bool far = kernel.walks_rows || c.bytes > static_cast<double>(past_caches);
  if (far && lines && !read && steps < static_cast<double>(short_sum)) return FarC::past_caches;
  return c.bytes > static_cast<double>(past_caches) ? FarC::asked_for : FarC::no;
}

}  // namespace cortex
