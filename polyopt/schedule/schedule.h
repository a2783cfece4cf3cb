// Schedule: when and where. A list of loops, outermost first, around one microkernel call, with the
// operands that are packed on the way. Nothing here depends on isl: the runtime links it.
//
// Semantics. At any depth each nest dim d has a current range [lo_d, lo_d + len_d); at depth 0 it is
// the whole extent. A loop over d with step s splits that range into tiles and binds the range to one
// tile after the other. After the last loop the microkernel is called once, on
//   m_dim  : range becomes the rows of the tile      (len <= mr)
//   n_dim  : range becomes the columns of the tile   (len <= nr)
//   rows_dim: depthwise kernels: range becomes whole rows of outputs m (any length, like theirs of m and n);
//             kernels of tile registers: bands of up to 16 rows m
//   k_dim  : range becomes the adjacent reduction    (any length)
//   batch_dims: ranges become the BRGEMM batch       (any length)
// and every other dim's range has length 1. A dim that has no loop and is not in the kernel must have
// extent 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cortex/kernel_library.h"
#include "graph/nest/nest.h"
#include "support/result.h"

namespace cortex {

struct Loop {
  int dim = 0;
  int64_t step = 1;       // tile size. Last tile is shorter when the range is no multiple of it.
  bool balanced = false;  // instead: ceil(len/step) tiles whose sizes differ by at most one, longer first
  int threads = 1;        // thread-grid extent of this loop; >1 only on the outermost loops, parallel dims
  bool parallel = false;  // may be divided among threads (legal and worthwhile); a prefix of the loops
  // A parallel loop over a reduction dim: each of its tiles adds up sums of its own. What the nest wants of C
  // is made of them afterwards: they are added in the order of the tiles, so that results do not depend on
  // which thread ran when, nor on how many there were; then comes the epilogue.
  bool split = false;
};

inline constexpr int64_t most_parts = CORTEX_MAX_PARTS;  // of a split reduction

enum class PackForm {
  box,    // dense copy of the footprint, zero-filled outside the tensor (halo)
  panel,  // B: [n panel][batch..][k][nr], the layout the microkernel streams
};

// Operand `operand` is copied to scratch where `depth` loops are open (0: before all of them), and
// read from there inside. Its box is the image of the ranges at that depth.
struct Pack {
  Operand operand = Operand::a;
  int depth = 0;
  PackForm form = PackForm::box;
  int64_t pitch_pad = 0;       // box: elements added to the second-innermost pitch, against set conflicts
  bool ahead_of_time = false;  // B at depth 0 of constant weights: done once by pack_weights, not in execute
};

struct KernelTile {
  std::string kernel;                      // catalogue name, "brgemm_f32_f32_f32_7x64x1_avx512"
  int m_dim = -1, n_dim = -1, k_dim = -1;  // nest dims; -1 where the nest has none of that role
  int rows_dim = -1;
  std::vector<int> batch_dims;  // reduction dims inside the kernel besides k_dim; outermost first
};

struct Schedule {
  std::vector<Loop> loops;
  std::vector<Pack> packs;
  KernelTile tile;
};

// One line, e.g.
//   n/1@2 oh/8 pack(A,box) oc/256 kx/192 oh/1 oc/64 ow/7~ | brgemm_f32_f32_f32_7x64x1_avx512 m=ow n=oc k=kx
//   batch=kh pack(B,panel,ahead)
// loop: dim/step, '~' balanced, '+' split reduction, '@p' parallel with thread grid p ('@1': parallel, grid
// of one). pack(X,form[,+pad][,ahead]) stands where its depth is.
std::string to_string(const Schedule& schedule, const Nest& nest);
Result<Schedule> parse_schedule(std::string_view text, const Nest& nest);

// Structural check against nest and catalogue: dims exist, roles fit strides (unit stride of n in B and C,
// of k in A, as seen after packing), lengths fit mr/nr, every dim is consumed, padded accesses are packed
// (or the kernel masks windows), parallel loops form a prefix over parallel dims.
// Legality against dependences is polyopt/isl's; this is what the runtime needs so as not to crash.
Status check(const Schedule& schedule, const Nest& nest);

}  // namespace cortex
