// Program: Nest + Schedule with every address resolved to linear strides. Both the interpreter and
// the C++ emitter read this, so that they cannot disagree.
//
// Walking it: each operand has a byte pointer. At depth 0 it points to the operand's first element
// (user memory or ahead-of-time packed weights) plus base_offset; opening a tile at relative index r of
// loop l adds r * loop_stride[l]; a pack at depth p redirects its operand's pointer to the pack's scratch
// (relative index zero of the box) for everything deeper. At the kernel the pointers are a, b, c of the call.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cortex/kernel_library.h"
#include "cortex/microkernels.h"
#include "graph/nest/nest.h"
#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/schedule.h"

namespace cortex {

inline constexpr int max_loops = 16;
inline constexpr int max_dims = 12;

// Byte stride of every nest dim in one view of an operand.
struct View {
  std::array<int64_t, max_dims> stride{};  // bytes per unit of each dim
};

struct ProgramLoop {
  int dim = 0;
  int64_t step = 1;
  bool balanced = false;
  bool parallel = false;
  int threads = 1;
  // bytes per unit of the dim, for A, B, C, as seen at this depth (after packs at this or outer depths);
  // C's also serve the residual; bias moves by bias_stride when dim == n_dim.
  std::array<int64_t, operand_count> stride{};
  int parent = -1;  // the enclosing loop over the same dim, -1 when the range is the whole extent
};

struct ProgramPack {
  Operand operand = Operand::a;
  int depth = 0;
  PackForm form = PackForm::box;
  bool ahead_of_time = false;
  cortex_pack_desc desc{};  // shape, strides, panels; the source is the user's tensor
  // origin[j] = subscript_constant[j] + sum_d coeff[j][d] * lo_d ; box[j] = 1 + sum_d coeff[j][d]*(len_d-1)
  std::array<std::array<int64_t, max_dims>, CORTEX_PACK_MAX_RANK> coeff{};
  std::array<int64_t, CORTEX_PACK_MAX_RANK> constant{};
  int64_t scratch_offset = 0;  // bytes into the thread's scratch (ahead of time: 0)
  int64_t bytes = 0;           // largest box, panels included, rounded up to 64
};

// Taps that read nothing but padding add zero: where a window's output dim is fixed at the kernel, they are
// skipped. A tap t of reduction dim `dim` (its range at the kernel is [lo, lo + len)) counts only if
//   0 <= out_coeff * (first element of out_dim's range) + coeff * t + constant < extent.
// Skipping `first` leading taps moves A and B on by first * a_stride and first * b_stride bytes.
struct ProgramClip {
  int dim = 0;       // k_dim (coeff 1) or batch_dims[0]
  int out_dim = -1;  // -1: none
  int64_t out_coeff = 0, coeff = 1, constant = 0, extent = 0;
  int64_t a_stride = 0, b_stride = 0;

  // First tap that counts and one past the last, unbounded by the range at the kernel.
  int64_t first(int64_t out) const { return -floor_div(out_coeff * out + constant, coeff); }
  int64_t last(int64_t out) const { return -floor_div(out_coeff * out + constant - extent, coeff); }
  static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
};

// The same where the rows of a call slide along the window: each tap of batch_dims.back() has its own rows,
// which the microkernel leaves out itself (cortex_row_window). Row i of a tile that starts at `out` reads
//   at(out, lo) + step * i + tap_step * (tap - lo).
struct ProgramRowClip {
  int dim = -1;  // batch_dims.back()
  int64_t step = 1, tap_step = 1, constant = 0, extent = 0;

  int64_t at(int64_t out, int64_t tap) const { return step * out + tap_step * tap + constant; }
};

// Where B stays along the innermost loops and moves along the one outside them, the calls of one visit of
// those loops bring near what the next visit reads of B: each asks for its share of the rows.
// Not of panels that are visited less often: asking for much each fills the buffers that a call's own loads
// need, and prefetchers follow panels well. AMD EPYC (Zen 5), 8x1024 times 1024x1024 in two visits of each
// panel, microseconds with and without: 87 and 73. Along two loops, AMD EPYC (Zen 3), 4x24 tiles of 7x7
// outputs, microseconds without and with: 2048 channels of 1024 (8 MB of B), 2455 and 2230.
inline constexpr int64_t fewest_visits = 3;
// Nor of panels that lie in a cache, by kernels that walk rows (f32 of AVX2): prefetchers follow them from L3
// as fast as so few multiply-adds need them, and what is asked for takes the buffers of loads, which two
// hardware threads share. AMD EPYC (Zen 3), AVX2, microseconds with and without, alone on the core and
// shared: 1024 channels of 14x14 to 512 (2 MB), 2483 and 2434, 3118 and 2743; 64 to 64, 3x3 (0.1 MB), 2880
// and 2713; but 512 to 2048 of 7x7 (4 MB) 1210 and 1393.
inline constexpr int64_t followed_panels = 3 << 20;
// Nor of more of a window's weights than L2 holds twice, were it as small as Zen 3's. 512 channels of 7x7 to
// 512, 3x3 windows, microseconds without and with: windows in rows, 147 KB, 2780 and 2260; 256 channels at a
// time, 221 KB, 2330 and 2500.
inline constexpr int64_t most_of_window = 192 << 10;
struct ProgramPrefetch {
  struct Along {
    int dim = -1;
    int64_t inside = 1;  // units of the dims after this one, at most
  };
  int mover = -1;             // the loop along which B moves
  std::vector<Along> along;   // the dims of the loops inside it, that of the last loop at the end
  int64_t rows_per_unit = 0;  // for each combination of their units; 0: nothing is asked for
  int64_t rows = 0;           // of one visit's B, of all taps
  int64_t ahead = 0;          // bytes from this visit's B to the next one's
  int64_t ld = 0;             // bytes between rows
  int64_t tap_rows = 0;       // of each element of the batch; 0: all rows are `ld` apart
  int64_t tap_stride = 0;     // bytes between these elements
  bool source = false;        // what comes next is copied first: these are rows of the user's B
};

// Operands no larger than this stay in the last-level cache from one execution to the next.
inline constexpr int64_t stays_in_cache = 12 << 20;

// An A no larger than this is followed by prefetchers from whatever cache it lies in. A larger one may lie in
// memory, where neighbours leave little of a shared cache, and asking for it costs nothing where it does not.
// AMD EPYC (Zen 4), bf16, one core, 9.6 MB of 192 channels times 192x64, percent of peak: 67 without, 96
// with.
inline constexpr int64_t followed_a = 2 << 20;

// A C of whole lines larger than this, that no call reads, is written past the caches: what its lines held
// need not be read first. AMD EPYC (Zen 5), one core, 32 MB in tiles of 7x64 that take 450 cycles each,
// microseconds: 1460, past the caches 1277; 64 MB, 2992 and 2266.
inline constexpr int64_t past_caches = 24 << 20;

// Tiles of narrow vectors have as many lines of C for a fraction of the elements: asking takes longer than
// the stores wait unless C is much larger, and stores past the caches pay for short sums alone; where kernels
// walk rows (f32 of AVX2) then from stays_in_cache on. AMD EPYC (Zen 3), one core, AVX2, milliseconds with
// plain stores, asking, and past the caches: 27 steps and 13 MB 2.03, 2.62, 1.95 (C in L3); 27 steps and 38
// MB 7.9, 8.2, 7.7; 64 steps and 51 MB 21.8, 19.0, 22.2; 128 steps and 26 MB 17.9, 17.9, 20.3.
inline constexpr int narrow_lanes = 8;
inline constexpr int64_t short_sum = 48;  // units of k, of all taps

// Where A is too large to be followed: each call brings near the A of the next tile along the innermost loop
// that moves A, which lies stride times that dim's length ahead.
struct ProgramAhead {
  int dim = -1;  // -1: none
  int64_t stride = 0;
};

struct ProgramKernel {
  std::string name;
  bool is_dwconv = false;
  int m_dim = -1, n_dim = -1, k_dim = -1, rows_dim = -1;
  std::vector<int> batch_dims;
  int64_t lda = 0, ldb = 0, ldc = 0;                    // bytes, 0 where the dim is absent
  int64_t a_row_stride = 0, c_row_stride = 0;           // bytes per unit of rows_dim
  std::vector<int64_t> a_batch_stride, b_batch_stride;  // bytes, one per batch dim
  int64_t mr = 0, nr = 0;
  int64_t tile_rows = 0;  // not 0: the innermost loop is the kernel's own, over tiles of so many rows m
  ProgramPrefetch prefetch;
  ProgramAhead a_ahead;
  int64_t b_ahead = 0;  // bytes; where B's panels come from memory and `prefetch` does not ask for them
  int c_far = 0;        // 1: calls ask for C's lines; 2: C is so large that it had better not pass the caches
  std::vector<ProgramClip> clips;  // at most one for k_dim and one for batch_dims[0]
  std::optional<ProgramRowClip> row_clip;
};

struct Program;

// A split reduction: tile t of `loop` adds up its sums `bytes * t` into scratch that stands for C, and `sum`
// makes C of them, its operands being ones and that scratch. It starts when all parts are finished.
struct ProgramSplit {
  int loop = -1;  // -1: there is none
  int64_t parts = 1;
  int64_t bytes = 0;  // from one part's sums to the next one's
  std::shared_ptr<const Program> sum;

  int64_t scratch_bytes() const { return parts * bytes; }
};

struct Program {
  Nest nest;  // without its epilogue where the reduction is split: that is then `split.sum`'s
  Schedule schedule;
  std::vector<ProgramLoop> loops;
  std::vector<ProgramPack> packs;  // ordered by depth
  ProgramKernel kernel;
  std::array<int64_t, operand_count> base_offset{};  // bytes: constant part of each unpacked access
  int64_t bias_stride = 0;                           // bytes of bias per unit of n_dim (4)
  int bias_dim2 = -1;                                // a second dim bias depends on (group), -1 if none
  int64_t bias_stride2 = 0;
  int64_t scratch_bytes = 0;         // per thread, multiple of 64
  int64_t packed_weights_bytes = 0;  // 0 when B is not packed ahead of time
  ProgramSplit split;
};

// check() plus address resolution. Refuses what check() refuses, and sizes that overflow.
Result<Program> resolve(const Nest& nest, const Schedule& schedule);

// Lets calls ask for the A of the next tile, however small A is; not for a copy of A, nor for depthwise
// kernels and those of dot products.
void ask_for_next_a(Program& program);

// The dwconv window, read off the padded access of a depthwise nest (see cortex_dwconv_args): for each
// of d, h, w the output dim, the window dim, stride, dilation, leading pad and input extent.
struct WindowAxis {
  int out_dim = -1, window_dim = -1;  // -1: absent (extent 1)
  int64_t stride = 1, dilation = 1, pad = 0, in_extent = 1;
  int64_t in_stride = 0, w_stride = 0;  // bytes
};
struct Window {
  WindowAxis d, h, w;
};
std::optional<Window> depthwise_window(const Nest& nest);  // nullopt: the nest is not depthwise

// How `threads` threads divide the parallel loops: one entry per parallel loop (others 1), product <=
// threads. The schedule's own grid when its product is `threads`, else the split with the best balance.
std::array<int, CORTEX_MAX_PARALLEL_LOOPS> thread_grid(const Program& program, int threads);

// The clips of a BRGEMM schedule, without their strides.
std::vector<ProgramClip> find_clips(const Nest& nest, const Schedule& schedule);
std::optional<ProgramRowClip> find_row_clip(const Nest& nest, const Schedule& schedule);

// A dimension of A that is read outside its bounds by taps that no clip leaves out; -1: there is none, and A
// may be read in place.
int unclipped_dimension(const Nest& nest, const Schedule& schedule);

// The share of all multiplications that the clips do not leave out.
double clipped_work(const Nest& nest, const Schedule& schedule);

// Of the taps of a window's row, those that hang over the first of all rows' outputs and those that hang over
// the last: pairs of a tap and a tile of rows that reach only some of them, for each tap.
double row_edge_share(const Nest& nest, const Schedule& schedule);

// The dims bias depends on: the channels of a group ("oc", "c" of a depthwise nest, "n" of a matmul) and the
// group; -1 where the nest has none. Batches repeat it.
struct BiasDims {
  int channel = -1, group = -1;
};
BiasDims bias_dims(const Nest& nest);
// Whether `dim` may be the columns of a microkernel, which takes one bias value after the other along them.
bool fits_columns(const Nest& nest, int dim);

// Whether the kernel multiplies the nest's types. C may be of any type that its sums are converted to.
bool serves_types(const KernelInfo& kernel, const Nest& nest);

// Per-tile reduction state: does any loop over a reduction dim surround the kernel?
bool has_outer_reduction(const Program& program);

}  // namespace cortex
