#include "polyopt/schedule/walked_rows.h"

#include <algorithm>

#include "polyopt/schedule/ranges.h"

namespace cortex {

void let_kernel_walk_rows(Program& p, const KernelInfo& kernel) {
  if (!kernel.walks_rows || p.loops.empty()) return;
  const ProgramLoop& loop = p.loops.back();
  const int last = static_cast<int>(p.loops.size()) - 1;
  if (loop.dim != p.kernel.m_dim || loop.threads != 1 || p.split.loop == last) return;
  if (max_trips(p.nest, p.schedule, last) == 1) return;
  if (!p.packs.empty() && p.packs.back().depth > last) return;
  const bool clipped = std::any_of(p.kernel.clips.begin(), p.kernel.clips.end(), [&](const ProgramClip& c) {
    return c.dim == loop.dim || c.out_dim == loop.dim;
  });
  if (clipped || !p.nest.epilogue.light() || p.kernel.c_far == 1) return;
  p.kernel.tile_rows = loop.step;
}

}  // namespace cortex
