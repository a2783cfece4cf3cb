// Walks a Program and calls its microkernel: the same loops, packs and calls the generated code makes,
// taken from tables instead of from the instruction stream.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cortex/kernel_library.h"
#include "cortex/microkernels.h"
#include "polyopt/schedule/program.h"
#include "runtime/interpreter/runs.h"
#include "support/cpu.h"
#include "support/result.h"

namespace cortex {

// Where the four things that move stand: A, B, C (the residual moves with it) and the bias (scale and
// compensation move with it).
struct Cursor {
  const char* a;
  const char* b;
  char* c;
  const char* bias;
};

// A Program flattened for walking. Immutable; run() from any number of threads.
class Interpreter {
 public:
  // Packs with the routine of `isa`. Refuses only what resolve() lets through and this cannot walk.
  static Result<Interpreter> compile(const Program& program, Isa isa);

  // One thread's share, as a generated kernel would do it. Checks nothing, allocates nothing.
  void run(const cortex_kernel_call& call) const;

 private:
  friend class Walk;

  struct Stride {  // bytes per unit of a dim
    int64_t a, b, c, bias;
  };

  struct Loop {
    int dim;
    int parallel;              // index among the parallel loops, -1 if it is none
    bool balanced, reduction;  // reduction: its tiles add to the same sums
    int64_t step;
    int64_t part_bytes;  // of C from tile to tile of a split reduction, else 0
    Stride stride;
    int64_t usual_length;   // longest range here
    TileShare usual_share;  // of it, undivided
  };

  struct Term {
    int axis, dim;
    int64_t coeff;
  };

  struct Pack {
    Operand operand;
    cortex_pack_desc desc;
    std::array<int64_t, CORTEX_PACK_MAX_RANK> constant;
    std::vector<Term> terms;
    int64_t scratch_offset;
  };

  // Offsets of the batch elements for one combination of lengths of the inner batch dims; the length of the
  // outermost one only says how many of them count.
  struct BatchTable {
    std::vector<int64_t> inner_lengths;
    std::vector<int64_t> a, b;
  };

  // What the last loop changes in the arguments besides pointers.
  enum class Role { none, m, n, k, rows };

  void compile_loops(const Program& program);
  void compile_packs(const Program& program);
  Status compile_batch(const Program& program);
  void compile_kernel(const Program& program);
  void compile_window(const Program& program);

  int dims_ = 0;
  std::array<int64_t, max_dims> extent_{};
  std::vector<Loop> loops_;
  std::vector<std::vector<Pack>> packs_;  // by number of open loops
  std::vector<int> depth_of_;             // schedule depth -> number of loops_ open there
  std::array<int64_t, operand_count> base_{};

  cortex_pack_fn pack_ = nullptr;
  cortex_brgemm_fn brgemm_ = nullptr;
  cortex_dwconv_fn dwconv_ = nullptr;
  bool tiles_ = false;  // the kernel works in tile registers
  cortex_brgemm_args args_{};
  cortex_dwconv_args window_args_{};
  Window window_{};
  bool epilogue_ = false;
  int m_ = -1, n_ = -1, k_ = -1, rows_ = -1;
  int64_t tile_rows_ = 0;  // of the tiles that the kernel cuts its rows into; 0: a call is a tile
  std::vector<ProgramClip> clips_;
  ProgramRowClip row_clip_;  // dim -1: none
  std::vector<int> batch_dims_;
  std::vector<BatchTable> batch_tables_;  // empty: the batch is strided
  bool fast_last_loop_ = false;
  Role last_role_ = Role::none;
  ProgramPrefetch prefetch_;
  std::size_t asks_from_ = 0;  // loops_ that are open where its visits begin
  ProgramAhead a_ahead_;
};

}  // namespace cortex
