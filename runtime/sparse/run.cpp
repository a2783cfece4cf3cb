// A task's share of the work.
#include <algorithm>

#include "runtime/sparse/kernel.h"
#include "support/checked.h"

namespace cortex {
namespace {

class Run {
 public:
  Run(const SparseKernel& kernel, const SparseCall& call, void* scratch)
      : k_(kernel), call_(call), panel_(static_cast<char*>(scratch)), sums_(panel_ + k_.sums_at) {}

  // Groups [from, to) of one tile; `next` is the one after it.
  void tile(const PointTile& tile, int64_t from, int64_t to, const PointTile& next) {
    const int64_t blocks = k_.blocks();
    const TilePattern& pattern = pattern_of(tile);
    const bool gathers = k_.tiling.copies != PanelCopies::none;
    const char* const panel = gathers ? panel_ : call_.src + k_.vector.source * tile.src;
    for (int64_t b = 0; b < blocks; ++b) {
      if (gathers) gather(b, tile);
      const bool last = b + 1 == blocks;
      cortex_sparse_next ahead = last ? next_lines(0, next) : next_lines(b + 1, tile);
      for (const GroupSpan& span : k_.spans) {
        const int64_t begin = std::max(from, span.first), end = std::min(to, span.first + span.count);
        if (begin >= end) continue;
        cortex_sparse_args x = lists(b, begin, end - begin);
        const int64_t row = span.row + (begin - span.first) * span.sharing.rows;
        char* const sums = sums_ + row * k_.ld_sums();
        x.panel = panel;
        x.n = pattern.lanes;
        x.ld_sums = k_.ld_sums();
        x.next = ahead;
        ahead.count = 0;
        if (b > 0) x.sums = sums;
        if (k_.zero)
          x.compensation = reinterpret_cast<const int32_t*>(call_.packed + k_.compensation_at) + row;
        if (last) {
          finish_at(x, row, tile, pattern);
        } else {
          x.c = sums;
          x.ldc = k_.ld_sums();
        }
        (span.sharing.rows == 1 ? k_.rows_single : k_.rows_shared)(&x);
      }
    }
  }

 private:
  // The lines that a block of a tile will read, to be brought to L2 while another is summed: rows of a
  // channel are too short, and channels too far apart, for the CPU to see what comes next.
  cortex_sparse_next next_lines(int64_t block, const PointTile& tile) const {
    const int64_t first = k_.block_channels[static_cast<std::size_t>(block)],
                  end = k_.block_channels[static_cast<std::size_t>(block) + 1];
    const TilePattern& pattern = pattern_of(tile);
    return {call_.src + k_.vector.source * tile.src,
            k_.channels.data() + first,
            k_.looks_ahead ? end - first : 0,
            k_.vector.source * k_.tiling.in.ld_channel(),
            pattern.lines.data(),
            static_cast<int64_t>(pattern.lines.size())};
  }

  const TilePattern& pattern_of(const PointTile& tile) const {
    return k_.tiling.patterns[static_cast<std::size_t>(tile.pattern)];
  }

  void gather(int64_t block, const PointTile& tile) const {
    const TilePattern& pattern = pattern_of(tile);
    const int64_t first = k_.block_channels[static_cast<std::size_t>(block)];
    cortex_sparse_gather_args x{};
    x.src = call_.src + k_.vector.source * tile.src;
    x.ld_channel = k_.vector.source * k_.tiling.in.ld_channel();
    x.channels = k_.channels.data() + first;
    x.count = k_.block_channels[static_cast<std::size_t>(block) + 1] - first;
    x.runs = pattern.runs.data();
    x.run_count = static_cast<int64_t>(pattern.runs.size());
    x.step = k_.tiling.step;
    x.together = static_cast<int32_t>(k_.tiling.in.images);
    x.panel = panel_;
    x.ld_panel = k_.ld_panel();
    x.fill = k_.zero;
    x.flip = k_.flip;
    k_.gather(&x);
  }

  cortex_sparse_args lists(int64_t block, int64_t group, int64_t groups) const {
    const auto at = static_cast<std::size_t>(block * (k_.group_count() + 1) + group);
    cortex_sparse_args x{};
    x.offsets = reinterpret_cast<const uint32_t*>(call_.packed + k_.offsets_at) + k_.offset_start[at];
    x.values = call_.packed + k_.value_start[at];
    x.counts = reinterpret_cast<const int32_t*>(call_.packed + k_.counts_at) + k_.count_start[at];
    x.groups = groups;
    return x;
  }

  void finish_at(cortex_sparse_args& x, int64_t row, const PointTile& tile,
                 const TilePattern& pattern) const {
    const int64_t at = tile.dst + row * k_.tiling.out.ld_channel();
    x.c = call_.dst + k_.dst_element * at;
    x.ldc = k_.dst_element * k_.tiling.out.ld_channel();
    x.places = pattern.places.empty() ? nullptr : pattern.places.data();
    x.flags = CORTEX_TILE_EPILOGUE;
    x.c_far = k_.past_caches ? 2 : 0;
    x.epilogue = k_.epilogue;
    if (call_.bias) x.epilogue.bias_m = call_.bias + row;
    if (call_.scale) x.scale = call_.scale + row;
    if (call_.residual) x.epilogue.residual = call_.residual + k_.dst_element * at;
    x.epilogue.ld_residual = x.ldc;
  }

  const SparseKernel& k_;
  const SparseCall& call_;
  char *panel_, *sums_;
};

}  // namespace

void run_sparse(const SparseKernel& k, const SparseCall& call, void* scratch, int task, int tasks) {
  Run run(k, call, scratch);
  const std::vector<PointTile>& tiles = k.tiling.tiles;
  const int64_t items = static_cast<int64_t>(tiles.size()) * k.row_parts, groups = k.group_count();
  for (int64_t i = items * task / tasks; i < items * (task + 1) / tasks; ++i) {
    const int64_t part = i % k.row_parts;
    const auto tile = static_cast<std::size_t>(i / k.row_parts);
    run.tile(tiles[tile], groups * part / k.row_parts, groups * (part + 1) / k.row_parts,
             tiles[std::min(tile + 1, tiles.size() - 1)]);
  }
}

}  // namespace cortex
