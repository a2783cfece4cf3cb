// Products of a few rows with weights of any zeros: a bit per weight and the weights that are not zero.
#pragma once

#include <string>
#include <vector>

#include "cortex/sparse_kernels.h"
#include "polyopt/machine/machine.h"
#include "runtime/sparse/kernel.h"

namespace cortex {

struct BitmapKernel {
  int64_t m = 0, n = 0, k = 0;
  bool a_transposed = false, a_bf16 = false;
  int value_bytes = 4, dst_bytes = 4;
  cortex_epilogue epilogue{};
  Isa isa = Isa::baseline;
  int block = 0;  // columns
  cortex_bitmap_fn run = nullptr;
  std::vector<uint8_t> bits;         // of every block, k masks
  std::vector<int64_t> value_start;  // of every block, and where the last one ends
  int64_t values_at = 0, packed_bytes = 0;
  int64_t scratch_bytes = 0;  // of a task: a as f32
  double seconds = 0;         // predicted, of one thread

  int64_t blocks() const { return static_cast<int64_t>(value_start.size()) - 1; }
  int64_t mask_bytes() const { return block / 8; }
  std::string text() const;
};

// Refuses what is no matmul of f32 or bf16 with one matrix of weights.
Result<BitmapKernel> make_bitmap_kernel(const Problem& problem, const WeightsView& weights, Isa isa,
                                        const Machine& machine);

// Refuses weights that are not zero where those of the plan were.
Status pack_bitmap(const BitmapKernel& kernel, const WeightsView& weights, void* packed);

// One of `tasks` shares of the work.
void run_bitmap(const BitmapKernel& kernel, const SparseCall& call, void* scratch, int task, int tasks);

}  // namespace cortex
