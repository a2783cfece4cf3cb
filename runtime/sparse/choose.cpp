#include "runtime/sparse/choose.h"

#include <algorithm>

#include "runtime/sparse/estimate.h"
#include "support/checked.h"

namespace cortex {
namespace {

// Vectors of points in a tile: what a pass over four rows holds in registers; seven divide the planes of most
// networks (56 = 8 * 7). Passes over bytes take one vector, those over bf16 up to three where rows share;
// small tiles have panels that stay near.
std::vector<int> vectors_of_tile(int share, int element) {
  if (element == 1) return {CORTEX_SPARSE_VECTORS, 4, 2, 1};
  if (element == 2) return {CORTEX_SPARSE_VECTORS, 6, 3, 1};
  return {share == 4 ? 6 : CORTEX_SPARSE_VECTORS};
}

int64_t cache_bytes(const Machine& machine, std::size_t level, int64_t otherwise) {
  return level < machine.caches.size() ? machine.caches[level].bytes : otherwise;
}

// Bytes of the panels that are summed before the next ones are gathered.
std::vector<int64_t> block_bytes(const SparseShape& shape, int64_t l2) {
  const int64_t l1 = shape.l1_bytes;
  std::vector<int64_t> bytes = {l1 * 6 / 10, l1 * 9 / 10, l1 * 14 / 10, l1 * 2, l2 / 8};
  if (shape.vector.element < 4) bytes.push_back(l2 / 4);
  return bytes;
}

// Whole groups of eight channels: of N:M weights every row then keeps as many columns of a block, and the end
// of its list is where the CPU expects it; of as many times more as columns stand together in a list.
int64_t channels_in_block(const Tiling& tiling, int element, int64_t bytes) {
  const int64_t fit = std::max<int64_t>(1, bytes / (element * tiling.ld_panel));
  const int64_t whole = fit >= 32 / element ? 32 / element : 8;
  return fit < 8 ? fit : fit - fit % whole;
}

std::vector<int32_t> channels_in_use(const Kept& kept, int64_t channel_count, int64_t taps) {
  std::vector<char> used(static_cast<std::size_t>(channel_count), 0);
  for (const RowGroup& g : kept.groups)
    for (const int32_t c : g.columns) used[static_cast<std::size_t>(c / taps)] = 1;
  std::vector<int32_t> channels;
  for (int64_t c = 0; c < channel_count; ++c)
    if (used[static_cast<std::size_t>(c)]) channels.push_back(static_cast<int32_t>(c));
  return channels;
}

constexpr int64_t most_taps_copied = 400;

bool can_pattern(const SparseKernel& k, const WeightsView& weights) {
  return k.vector.element == 4 && weights.rows >= 4 &&
         weights.channels * weights.taps <= most_pattern_columns;
}

}  // namespace

void choose_tiling(SparseKernel& k, const WeightsView& weights, int share, const PointLayout& in,
                   const PointLayout& out, const Machine& machine) {
  SparseShape shape;
  shape.vector = k.vector;
  shape.byte_dots = k.isa == Isa::avx512vnni || k.isa == Isa::avx2vnni;
  shape.l1_bytes = cache_bytes(machine, 0, 32768);
  shape.rates = list_rates(machine, k.vector.lanes * k.vector.element / 4);
  const int64_t l2 = cache_bytes(machine, 1, 8 * shape.l1_bytes);
  double least = 0;
  for (const Sharing sharing : sparse_sharings) {
    const int code = sharing.patterns ? CORTEX_SPARSE_PATTERNS : sharing.rows;
    if (share ? code != share : sharing.patterns && !can_pattern(k, weights)) continue;
    const Kept kept = keep_nonzero(weights, sharing);
    const std::vector<int32_t> channels = channels_in_use(kept, weights.channels, weights.taps);
    shape.channels = static_cast<int64_t>(channels.size());
    for (const PanelCopies copies : all_panel_copies) {
      if (!can_tile(k.conv, k.vector, CORTEX_SPARSE_VECTORS, copies, in, out)) continue;
      // Copies for many taps only fill caches.
      if (copies != PanelCopies::one && weights.taps > most_taps_copied) continue;
      if (copies == PanelCopies::none && k.flip) continue;
      for (const int vectors : vectors_of_tile(sharing.rows, k.vector.element)) {
        const Tiling tiling = cut_tiles(k.conv, k.vector, vectors, copies, in, out);
        for (const int64_t bytes : block_bytes(shape, l2)) {
          const int64_t most = channels_in_block(tiling, k.vector.element, bytes);
          // Offsets have 32 bits.
          const int64_t reach = copies == PanelCopies::none ? weights.channels : most;
          if (k.vector.element * tiling.ld_panel * reach > UINT32_MAX) continue;
          shape.blocks = std::max<int64_t>(1, ceil_div(shape.channels, most));
          const double cycles = estimate_cycles(tiling, kept, shape);
          if (least > 0 && cycles >= least) continue;
          least = cycles;
          k.sharing = sharing;
          k.groups = kept.groups;
          k.channels = channels;
          k.tiling = tiling;
          k.block_channels.clear();
          const int64_t whole = most % (8 * k.columns) == 0 ? 8 * k.columns : 8;
          const int64_t even = round_up(ceil_div(shape.channels, shape.blocks), whole);
          for (int64_t b = 0; b <= shape.blocks; ++b)
            k.block_channels.push_back(even <= most ? std::min(b * even, shape.channels)
                                                    : shape.channels * b / shape.blocks);
          while (k.block_channels.size() > 2 && k.block_channels.end()[-2] == shape.channels)
            k.block_channels.pop_back();
          k.seconds = cycles / (machine.ghz * 1e9);
        }
        if (copies == PanelCopies::none) break;
      }
    }
  }
}

}  // namespace cortex
