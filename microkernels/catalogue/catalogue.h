// The kernel catalogue: one descriptor per row of include/cortex/kernels.inc. polyopt reads it, the
// runtime finds entry points through it, tests and benches iterate over it.
#pragma once

#include <span>
#include <string_view>

#include "cortex/microkernels.h"
#include "support/cpu.h"

namespace cortex {

enum class KernelOp { brgemm, dwconv };

struct KernelInfo {
  std::string_view name;  // "brgemm_f32_f32_f32_7x64x1_avx512"
  KernelOp op;
  std::string_view a, b, c;  // format tokens
  int mr, nr, kr;
  std::string_view variant;  // without its underscore
  Isa isa;
  int lanes;                // f32 lanes of one vector
  cortex_brgemm_fn brgemm;  // null unless op == brgemm and `isa` was built
  cortex_dwconv_fn dwconv;  // null unless op == dwconv and `isa` was built
  bool sums_in_l1;          // the tile is wider than the registers: B is walked in whole rows
  bool tiles;               // multiplies in tile registers: see tile_cycles below
  bool walks_rows;          // m may exceed mr, and then costs less than calls for each tile
  bool dots;                // lanes run along k: B's columns are adjacent along k, not its rows along n
  // Cost in core cycles of one call on an m x n tile over k (batch folded in), operands in L1:
  //   call_cycles + k * max(vectors*m / fma_per_cycle, loads / loads_per_cycle) + tile_cycles * m * vectors.
  // Measured: the bench microkernels_bench prints them.
  // Kernels of tile registers multiply 16 rows of up to 16 units by 16 columns in 16 cycles:
  //   call_cycles + chunks of k * max(m * columns/16, loads / loads_per_cycle, latency) + tile_cycles * m *
  //   vectors.
  double call_cycles;
  double tile_cycles;  // per C vector: load, add, store

  // Multiply-adds of 4-byte units per cycle, where the CPU issues that many vector instructions.
  double units_per_cycle(double vectors_per_cycle) const {
    return tiles ? tile_units_per_cycle : lanes * vectors_per_cycle;
  }
  static constexpr double tile_units_per_cycle = 256;
};

inline constexpr int64_t tile_rows = 16;  // of one tile register

std::span<const KernelInfo> kernel_catalogue();
const KernelInfo* find_kernel(std::string_view name);  // nullptr when there is none

// cortex_element of an element type that C may have; SUM for units, which it may not.
int32_t element_code(std::string_view type);

// Rows that a kernel of dot products walks together where there are `n` columns: what fits the registers.
double rows_of_dots(const KernelInfo& kernel, double n);

// What a depthwise kernel adds up at a time, of windows of 3x3 or others.
struct WindowBlock {
  int rows, columns;  // of outputs
  bool by_columns;    // of the window: outputs below one another, along whole rows of the input
};
WindowBlock window_block(const KernelInfo& kernel, bool is_3x3);

// The packing routine for an ISA (the best one not above it).
cortex_pack_fn pack_function(Isa isa);
// Likewise, the activation of arrays.
cortex_activate_fn activate_function(Isa isa);

}  // namespace cortex
