// The lists of a plan's weights, cut into blocks, and everything a task needs to run over them.
#pragma once

#include <string>
#include <vector>

#include "polyopt/machine/machine.h"
#include "runtime/sparse/kept.h"
#include "runtime/sparse/tiles.h"
#include "support/result.h"

namespace cortex {

// Groups [first, first + count) of as many rows each; `row` is the first one's.
struct GroupSpan {
  int64_t first = 0, count = 0, row = 0;
  Sharing sharing;
};

struct SparseKernel {
  ConvProblem conv;  // points merged where the window allows
  cortex_epilogue epilogue{};
  Isa isa = Isa::baseline;
  PointVector vector;
  Sharing sharing;
  int columns = 1;      // that stand together in a list
  int dst_element = 4;  // bytes
  int32_t zero = 0;     // what stands for zero in a panel; its share of the sums is taken back
  int32_t flip = 0;     // bits of elements of the source that a panel has flipped
  cortex_sparse_fn rows_shared = nullptr, rows_single = nullptr;
  cortex_sparse_gather_fn gather = nullptr;

  Tiling tiling;
  std::vector<GroupSpan> spans;
  std::vector<RowGroup> groups;
  std::vector<int32_t> channels;        // those of which any group keeps a column
  std::vector<int64_t> block_channels;  // block b holds channels [b], [b + 1)
  // Of group g in block b, at [b * (groups + 1) + g]: where its offsets, values (bytes) and counts begin.
  std::vector<int64_t> offset_start, value_start, count_start;
  bool looks_ahead = true;    // what is read next is not in L2
  bool past_caches = false;   // the output is so large that nobody finds it there
  int row_parts = 1;          // a tile's rows are shared out among so many tasks
  int64_t multiply_adds = 0;  // those that are done, zeros that a list carries along included
  double seconds = 0;         // predicted

  // Packed weights: values, offsets, counts, of every row what it takes back.
  int64_t offsets_at = 0, counts_at = 0, compensation_at = 0, packed_bytes = 0;
  // A task's scratch: panel, sums.
  int64_t sums_at = 0, scratch_bytes = 0;

  int64_t blocks() const { return static_cast<int64_t>(block_channels.size()) - 1; }
  int64_t group_count() const { return static_cast<int64_t>(groups.size()); }
  int64_t ld_panel() const { return vector.element * tiling.ld_panel; }
  int64_t ld_sums() const { return 4 * tiling.vectors * vector.lanes; }
  std::string text() const;
};

// The matmul or convolution as a convolution: of one group, channel-major. Refuses what has no such form.
Result<ConvProblem> as_channel_major(const Problem& problem);

// `share`: rows that share a list, or CORTEX_SPARSE_PATTERNS; 0: what is predicted to be fastest.
// own_layouts: activations may be in fastest_layout instead of NCHW.
Result<SparseKernel> make_sparse_kernel(const Problem& problem, const WeightsView& weights, int share,
                                        bool own_layouts, int threads, Isa isa, const Machine& machine);

// Refuses weights that are not zero where those of the plan were.
Status pack_sparse(const SparseKernel& kernel, const WeightsView& weights, void* packed);

struct SparseCall {
  const char* src;
  const char* packed;
  const float* bias;
  const float* scale;
  const char* residual;
  char* dst;
};
// One of `tasks` shares of the work.
void run_sparse(const SparseKernel& kernel, const SparseCall& call, void* scratch, int task, int tasks);

}  // namespace cortex
