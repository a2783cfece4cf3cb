// Plan: a problem bound to layouts, threads and a schedule. Immutable.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "cortex/cortex.h"
#include "polyopt/schedule/program.h"
#include "runtime/interpreter/interpreter.h"
#include "runtime/plan/context.h"
#include "runtime/plan/copy.h"
#include "runtime/sparse/bitmap.h"
#include "runtime/sparse/kernel.h"
#include "runtime/sparse/layout.h"

namespace cortex {

struct PlanOptions {
  int threads = 1;
  cortex_layout src_layout = CORTEX_LAYOUT_NATIVE;
  cortex_layout dst_layout = CORTEX_LAYOUT_NATIVE;
  cortex_weights_layout weights_layout = CORTEX_WEIGHTS_DEFAULT;
  bool prepacked = true;
  cortex_kernel_choice kernel = CORTEX_KERNEL_AUTO;
  std::string schedule;                  // empty: none
  const void* sparse_weights = nullptr;  // read while the plan is made; null: dense
  int sparse_share = 0;
};

// Where stages of execute keep their data in the caller's scratch; -1: the stage does not exist.
struct ScratchMap {
  int64_t src = -1, weights = -1, compensation = -1, residual = -1, dst = -1;
  int64_t parts = -1;  // of a split reduction
  int64_t threads = 0, per_thread = 0;
  int64_t total = 0;
};

struct Plan {
  Problem problem;
  PlanOptions options;
  Program program;
  Isa isa = Isa::baseline;  // of the microkernel
  cortex_pack_fn pack = nullptr;

  const cortex_kernel_entry* entry = nullptr;  // generated kernel, or
  std::optional<Interpreter> interpreter;
  std::optional<Interpreter> sum;              // of a split reduction, where it is interpreted
  std::shared_ptr<const SparseKernel> sparse;  // instead of either
  std::shared_ptr<const BitmapKernel> bitmap;  // or this
  double predicted_seconds = 0;

  std::array<int, CORTEX_MAX_PARALLEL_LOOPS> grid{};
  int tasks = 1;
  std::array<int, CORTEX_MAX_PARALLEL_LOOPS> sum_grid{};
  int sum_tasks = 0;  // 0: the reduction is not split

  // Stages around the kernel, each only if the caller's layout differs from the nest's.
  Copies src_in, weights_in;
  std::optional<Copy> residual_in, dst_out;
  Copies weights_order;         // weights_in's part for pack_weights, before the panels
  bool residual_aside = false;  // a residual that is dst itself must be set aside: partial sums go to dst
  // Of each output channel: the sum of its weights times what the source was shifted by, taken back. It
  // follows the packed weights, or is made in scratch from plain ones. -1: none.
  int64_t compensation_at = -1;
  ScratchMap scratch;

  int64_t nest_src_bytes = 0, nest_weights_bytes = 0;  // once they are in units
  int64_t src_bytes = 0, weights_bytes = 0, packed_bytes = 0, bias_bytes = 0, scale_bytes = 0,
          residual_bytes = 0, dst_bytes = 0;
  std::string problem_text, schedule_text;
  PointLayout src_points{0, 0}, dst_points{0, 0};  // convolutions
  std::string src_layout, dst_layout, native_src_layout, native_dst_layout, weights_layout;

  bool is_plain_call() const {
    return tasks == 1 && sum_tasks == 0 && !sparse && !bitmap && src_in.empty() && compensation_at < 0 &&
           weights_in.empty() && !dst_out && !problem.epilogue.residual;
  }
};

// `not_found` is set when a generated kernel was insisted on and there is none.
Result<Plan> make_plan(const Context& context, const Problem& problem, const PlanOptions& options,
                       bool* not_found);

// The same for weights without zeros, and for those with (options.sparse_weights): by lists, by bitmap.
Result<Plan> make_dense_plan(const Context& context, const Problem& problem, const PlanOptions& options,
                             bool* not_found);
Result<Plan> make_sparse_plan(const Context& context, const Problem& problem, const PlanOptions& options);
Result<Plan> make_bitmap_plan(const Context& context, const Problem& problem, const PlanOptions& options);

// The caller's weights -> what execute takes. Fails only for want of memory.
Status pack_weights(const Plan& plan, const void* weights, void* packed);

// Arguments are checked already.
void execute(const Plan& plan, const cortex_execute_args& args);

}  // namespace cortex
