// Which reduction dims of a schedule can skip the taps that fall in padding.
#include <algorithm>

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/program.h"
#include "polyopt/schedule/ranges.h"

namespace cortex {

namespace {

// Share of the pairs of an output and a tap that read inside the tensor.
double share_inside(int64_t outputs, int64_t step, int64_t taps, int64_t tap_step, int64_t constant,
                    int64_t extent) {
  double inside = 0;
  for (int64_t t = 0; t < taps; ++t) {
    const int64_t at = tap_step * t + constant;
    const int64_t first = std::max<int64_t>(0, -ProgramClip::floor_div(at, step));
    const int64_t last = std::min(outputs, -ProgramClip::floor_div(at - extent, step));
    inside += static_cast<double>(std::max<int64_t>(0, last - first));
  }
  return inside / static_cast<double>(outputs * taps);
}

}  // namespace

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
    const bool seen =
        std::any_of(clips.begin(), clips.end(), [&](const ProgramClip& c) { return c.dim == clip.dim; });
    if (fits && (is_k || is_batch) && !seen) clips.push_back(clip);
  }
  return clips;
}

std::optional<ProgramRowClip> find_row_clip(const Nest& nest, const Schedule& schedule) {
  const Access& a = nest[Operand::a];
  const KernelTile& tile = schedule.tile;
  if (!a.padded || tile.batch_dims.empty() || tile.m_dim < 0) return std::nullopt;
  // Tile registers multiply a copy's zeros for nothing, but rows apart only through copies of their own.
  const KernelInfo* kernel = find_kernel(tile.kernel);
  if (kernel && kernel->tiles && find_pack(schedule, Operand::a)) return std::nullopt;
  const int tap_dim = tile.batch_dims.back();
  if (nest.dims[tap_dim].extent > CORTEX_MAX_WINDOW_TAPS) return std::nullopt;
  for (const ProgramClip& clip : find_clips(nest, schedule)) {
    if (clip.dim == tap_dim) return std::nullopt;  // tiles of one row
  }
  for (int j = 0; j < static_cast<int>(a.subscripts.size()); ++j) {
    const std::vector<AffineTerm>& terms = a.subscripts[j].terms;
    if (terms.size() != 2 || !leaves_tensor(nest, a, j)) continue;
    const bool tap_first = terms[0].dim == tap_dim;
    const AffineTerm &tap = terms[tap_first ? 0 : 1], &row = terms[tap_first ? 1 : 0];
    if (tap.dim != tap_dim || row.dim != tile.m_dim) continue;
    return ProgramRowClip{tap_dim, row.coeff, tap.coeff, a.subscripts[j].constant, a.tensor.shape[j]};
  }
  return std::nullopt;
}

int unclipped_dimension(const Nest& nest, const Schedule& schedule) {
  const Access& a = nest[Operand::a];
  const std::vector<ProgramClip> clips = find_clips(nest, schedule);
  const std::optional<ProgramRowClip> rows = find_row_clip(nest, schedule);
  for (int j = 0; j < static_cast<int>(a.subscripts.size()); ++j) {
    if (!leaves_tensor(nest, a, j)) continue;
    const std::vector<AffineTerm>& terms = a.subscripts[j].terms;
    const bool clipped = std::any_of(terms.begin(), terms.end(), [&](const AffineTerm& t) {
      return (rows && rows->dim == t.dim) ||
             std::any_of(clips.begin(), clips.end(),
                         [&](const ProgramClip& clip) { return clip.dim == t.dim; });
    });
    if (!clipped) return j;
  }
  return -1;
}

double clipped_work(const Nest& nest, const Schedule& schedule) {
  double share = 1;
  for (const ProgramClip& clip : find_clips(nest, schedule)) {
    const int64_t outputs = clip.out_dim < 0 ? 1 : nest.dims[clip.out_dim].extent;
    share *= share_inside(outputs, std::max<int64_t>(clip.out_coeff, 1), nest.dims[clip.dim].extent,
                          clip.coeff, clip.constant, clip.extent);
  }
  if (const std::optional<ProgramRowClip> rows = find_row_clip(nest, schedule)) {
    share *= share_inside(nest.dims[schedule.tile.m_dim].extent, rows->step, nest.dims[rows->dim].extent,
                          rows->tap_step, rows->constant, rows->extent);
  }
  return share;
}

double row_edge_share(const Nest& nest, const Schedule& schedule) {
  const std::optional<ProgramRowClip> rows = find_row_clip(nest, schedule);
  if (!rows) return 0;
  double taps = 0;
  const int64_t last = nest.dims[schedule.tile.m_dim].extent - 1;
  for (int64_t t = 0; t < nest.dims[rows->dim].extent; ++t) {
    taps += rows->at(0, t) < 0;
    taps += rows->at(last, t) >= rows->extent;
  }
  return taps / static_cast<double>(nest.dims[rows->dim].extent);
}

}  // namespace cortex
