// Which tiling, which blocks of channels, and how many rows share a list.
#pragma once

#include "runtime/sparse/kernel.h"

namespace cortex {

// Runs of patterns count their columns in 28 bits.
inline constexpr int64_t most_pattern_columns = (int64_t{1} << 27) - 1;

// Those for which the work, zeros that lists carry along included, is estimated to take least time. Sets
// share, groups, channels, tiling, block_channels and seconds (of one thread); no tiles where nothing is
// possible. `share`: rows that share a list, CORTEX_SPARSE_PATTERNS, or 0 for any.
void choose_tiling(SparseKernel& kernel, const WeightsView& weights, int share, const PointLayout& in,
                   const PointLayout& out, const Machine& machine);

}  // namespace cortex
