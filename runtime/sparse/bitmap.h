// Products of a few rows with weights of any zeros: a bit per weight and the weights that are not zero.
#pragma once

#include <string>
#include <vector>

#include "cortex/sparse_kernels.h"
#include "polyopt/machine/machine.h"
#include "runtime/sparse/kernel.h"
#include "support/checked.h"

namespace cortex {

struct BitmapKernel {
  int64_t m = 0, n = 0, k = 0;
  DataType src = DataType::f32;
  bool a_transposed = false;
  int unit = 1;  // steps of k that stand together, one multiplication of the kernel's
  int value_bytes = 4, dst_bytes = 4;
  int32_t zero = 0;  // what stands for zero in a as kernels see it; its share of the sums is taken back
  cortex_epilogue epilogue{};
  Isa isa = Isa::baseline;
  int block = 0;  // columns
  const char* name = "";
  cortex_bitmap_fn run = nullptr;
  std::vector<uint8_t> bits;         // of every block, a mask for each unit of k
  std::vector<int64_t> value_start;  // of every block, and where the last one ends
  int64_t values_at = 0, compensation_at = 0, packed_bytes = 0;
  int64_t scratch_bytes = 0;  // of a task: a as kernels want it; 0: as it is
  double seconds = 0;         // predicted, of one thread
  bool outrun = false;        // by dense kernels, whatever is predicted

  int64_t blocks() const { return static_cast<int64_t>(value_start.size()) - 1; }
  int64_t units() const { return ceil_div(k, int64_t{unit}); }
  int64_t mask_bytes() const { return block * unit / 8; }
  std::string text() const;
};

// Refuses what is no matmul with one matrix of weights.
Result<BitmapKernel> make_bitmap_kernel(const Problem& problem, const WeightsView& weights, Isa isa,
                                        const Machine& machine);

// Refuses weights that are not zero where those of the plan were.
Status pack_bitmap(const BitmapKernel& kernel, const WeightsView& weights, void* packed);

// One of `tasks` shares of the work.
void run_bitmap(const BitmapKernel& kernel, const SparseCall& call, void* scratch, int task, int tasks);

}  // namespace cortex
