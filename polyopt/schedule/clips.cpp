// Which reduction dims of a schedule can skip the taps that fall in padding.
#include <algorithm>

#include "polyopt/schedule/program.h"
#include "polyopt/schedule/ranges.h"

namespace cortex {

std::vector<ProgramClip> find_clips(const Nest& nest, const Schedule& schedule) {
  std::vector<ProgramClip> clips;
  const Access& a = nest[Operand::a];
  if (!a.padded) return clips;
  const KernelTile& tile = schedule.tile;
  const int depth = static_cast<int>(schedule.loops.size());
  for (int j = 0; j < static_cast<int>(a.subscripts.size()); ++j) {
    if (!leaves_tensor(nest, a, j)) continue;
    ProgramClip clip;
    clip.dim = -1;
    clip.constant = a.subscripts[j].constant;
    clip.extent = a.tensor.shape[j];
    bool fits = true;
    for (const AffineTerm& t : a.subscripts[j].terms) {
      if (nest.dims[t.dim].kind == DimKind::reduction) {
        fits = fits && clip.dim < 0;
        clip.dim = t.dim;
        clip.coeff = t.coeff;
      } else {
        // Rows of one call share their taps only if they share the output index.
        fits = fits && clip.out_dim < 0 && max_range(nest, schedule, t.dim, depth) == 1;
        clip.out_dim = t.dim;
        clip.out_coeff = t.coeff;
      }
    }
    const bool is_k = clip.dim >= 0 && clip.dim == tile.k_dim && clip.coeff == 1;
    const bool is_batch = clip.dim >= 0 && !tile.batch_dims.empty() && clip.dim == tile.batch_dims.front();
    const bool seen = std::any_of(clips.begin(), clips.end(), [&](const ProgramClip& c) { return c.dim == clip.dim; });
    if (fits && (is_k || is_batch) && !seen) clips.push_back(clip);
  }
  return clips;
}

}  // namespace cortex
