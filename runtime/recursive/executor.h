// Runs batches of structures: linearizes them, then goes up level by level with one team of threads.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "cortex/recursive.h"
#include "polyopt/recursive/program.h"
#include "polyopt/recursive/unroll_cost.h"
#include "runtime/recursive/flops.h"
#include "runtime/recursive/leaf_states.h"
#include "runtime/recursive/linearize.h"
#include "runtime/recursive/team.h"
#include "runtime/recursive/weights.h"
#include "support/aligned_buffer.h"
#include "support/checked.h"
#include "support/result.h"

namespace cortex::recursive {

struct CellKernels {
  int64_t panel = 0;
  cortex_cell_gemm_fn gemm = nullptr, gemm_bf16 = nullptr;
  cortex_cell_pointwise_fn pointwise = nullptr;
};

// Rows of a power of two bytes would all fall into few sets of L1: one line more keeps them apart.
constexpr int64_t stride_of(int64_t width) {
  const int64_t stride = round_up(width, 16);
  return width >= 64 ? stride + 16 : stride;
}

// Rows of features that are copied at a time, ten tiles of products, where theirs fall into few sets.
constexpr int64_t feature_rows = 140;
constexpr bool features_collide(int64_t width) { return width > 0 && width % 512 == 0; }

// One way through the structures; bidirectional models have two.
struct Direction {
  Program program;
  ParameterStore parameters;
  StructureRules rules;
  std::unique_ptr<LeafStates> leaves;  // nullptr: leaves are computed like other nodes
  MovedBytes moved;
};

// Columns an element-wise step works on at a time: the rows of its operands stay in L1.
constexpr int64_t scratch_columns = 1024;

// Whether nodes follow their children one by one, in place of levels, where one thread runs a batch.
enum class Unrolling { choose, never, always };

// How threads share a batch: the columns of every level, or whole structures (static batching).
enum class Sharing { choose, columns, structures };

struct CompiledModel {
  Model model;  // as it was asked for
  CellKernels kernels;
  NodeFlops flops;
  int64_t feature_width = 0;  // 0: no features
  std::vector<Direction> directions;
  double flops_per_barrier = 0.2e6;  // less work a level than this is left to one thread
  Sharing sharing = Sharing::choose;
  Unrolling unrolling = Unrolling::choose;
  bool dense_reads = true;  // children that lie back to back are read where they are
  bool fuse_levels = true;  // products at a level's end run with the next level's
  bool alternate = true;    // levels walk the weights forwards and backwards by turns
};

// What a step needs to know of the level it runs on.
struct LevelRows {
  int64_t level = 0;
  int64_t first = 0, rows = 0, inner = 0;  // positions; inner: those with a parent
  int64_t first_edge = 0, edges = 0;
};

// The state of one direction of a batch.
struct Arena {
  std::vector<AlignedBuffer> state, row, edge, hoisted;
  std::vector<int64_t> state_stride, row_stride, edge_stride, hoisted_stride;  // elements
  AlignedBuffer zeros;
};

struct ThreadRoom {
  std::vector<AlignedBuffer> panels;
  std::vector<int64_t> panel_stride;
  // Where a panel's rows are: its own memory, or states that lie back to back.
  std::vector<const float*> panel_data;
  std::vector<int64_t> panel_pitch;
  AlignedBuffer features;  // rows of the caller's, further apart than theirs
  AlignedBuffer scratch;
  std::vector<float*> rows;
  std::vector<int64_t> row_step;
  // Of generated steps.
  std::vector<cortex_cell_rows> cell_rows;
  std::vector<float*> addresses;
};

class Executor {
 public:
  static Result<std::unique_ptr<Executor>> create(const CompiledModel& model, int threads);

  Status run(const cortex_recursive_batch& batch, const cortex_recursive_result* results,
             int32_t result_count);
  const cortex_recursive_info& info() const { return info_; }

 private:
  explicit Executor(const CompiledModel& model) : model_(model) {}
  Status prepare(const cortex_recursive_batch& batch);
  Status check_results(const cortex_recursive_result* results, int32_t count, int64_t nodes, int64_t roots);

  // Static batching: each thread runs its own structures, as an executor of one thread. executor_static.cpp.
  struct Share {
    cortex_recursive_batch batch{};
    std::vector<int32_t> structure_offsets, child_offsets, child_ids;
    std::vector<cortex_recursive_result> results;
    int64_t first_structure = 0, first_node = 0;
    Status status;
  };
  bool divide(const cortex_recursive_batch& batch);
  bool start_shares();
  // False: the batch runs by columns, where what is wrong with it is said in its own numbers.
  bool run_shares(const cortex_recursive_batch& batch, const cortex_recursive_result* results,
                  int32_t result_count, Status& status);
  void fill_share(std::size_t thread);
  void join_shares();
  void run_share(int thread);
  bool reserve(std::size_t direction);
  int64_t held_bytes() const;
  // Fills `leaves` of a direction, by an executor of its own.
  static Status keep_leaves(const CompiledModel& model, std::size_t direction, LeafStates& leaves);
  const float* state_row(std::size_t direction, int state, int64_t position) const;
  bool unrolls(std::size_t direction) const;
  int threads_for(const cortex_recursive_batch& batch) const;
  void work(int thread);
  void write_results(int thread);

  const CompiledModel& model_;
  std::unique_ptr<Team> team_;
  std::vector<Share> shares_;                     // by thread
  std::vector<std::unique_ptr<Executor>> parts_;  // by thread, once a batch was divided
  bool joined_ = false;
  Status shares_status_;
  std::chrono::steady_clock::time_point start_;
  std::vector<Linear> linear_;                  // by direction
  std::vector<Arena> arenas_;                   // by direction
  std::vector<std::vector<ThreadRoom>> rooms_;  // by direction and thread
  std::vector<int> result_states_;
  const cortex_recursive_batch* batch_ = nullptr;
  const cortex_recursive_result* results_ = nullptr;
  int32_t result_count_ = 0;
  int threads_ = 1;  // that take part in the batch
  cortex_recursive_info info_{};
};

}  // namespace cortex::recursive
