/* Microkernels: the inner tiles, callable by name from C. Generated kernels call exactly these.
 *
 * Every function here is re-entrant, allocates nothing, never fails and never prints. Sizes are in
 * elements, strides in bytes. A kernel reads and writes nothing but its operands: edges (m < mr,
 * n < nr) are masked inside, so no operand needs padding. Operands need only their element type's
 * alignment; 64-byte aligned B panels are faster. C must not overlap A, B, bias or residual, except
 * that residual may be C itself (in-place sum).
 */
#ifndef CORTEX_MICROKERNELS_H
#define CORTEX_MICROKERNELS_H

#include <stdint.h>

#if defined(__GNUC__)
#define CORTEX_API __attribute__((visibility("default")))
#else
#define CORTEX_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cortex_activation {
  CORTEX_ACTIVATION_NONE = 0,
  CORTEX_ACTIVATION_RELU = 1,    /* max(x, 0), and x * alpha below zero (leaky when alpha != 0) */
  CORTEX_ACTIVATION_CLIP = 2,    /* min(max(x, alpha), beta) */
  CORTEX_ACTIVATION_SIGMOID = 3, /* 1 / (1 + exp(-x)) */
  CORTEX_ACTIVATION_TANH = 4,
  CORTEX_ACTIVATION_GELU_ERF = 5, /* x/2 (1 + erf(x / sqrt 2)) */
  CORTEX_ACTIVATION_GELU_TANH = 6 /* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
} cortex_activation;

/* Elements of C. SUM: what the kernel adds up in, f32, or s32 where A and B are integers. */
typedef enum cortex_element {
  CORTEX_ELEMENT_SUM = 0,
  CORTEX_ELEMENT_F32 = 1,
  CORTEX_ELEMENT_BF16 = 2,
  CORTEX_ELEMENT_S32 = 3,
  CORTEX_ELEMENT_U8 = 4,
  CORTEX_ELEMENT_S8 = 5
} cortex_element;

/* What happens to a finished tile, in this order:
 *   v = acc + compensation_n[j]                  (integers; then to f32)
 *   v = v * scale_n[j];
 *   v = v + bias_n[j] (+ bias_m[i]);
 *   v += residual[i][j] * residual_scale        unless residual_after_activation;
 *   v = activation(v);
 *   v += residual[i][j] * residual_scale        if residual_after_activation;
 *   C = v as c_type: bf16 rounded to nearest, ties to even; integers likewise, c_zero_point added to what
 *       is rounded, and what does not fit saturated.
 * Every step rounds by itself where acc is an integer: C is then the same on every CPU.
 * All pointers are for this tile (its row 0, column 0); NULL leaves the step out. residual has C's type.
 * Kernels whose sums are f32 of f32 know c_type SUM and F32 alone, and neither scale nor compensation. */
typedef struct cortex_epilogue {
  const float* bias_n;
  const float* bias_m;
  const void* residual;
  int64_t ld_residual; /* bytes between rows (m) */
  float residual_scale;
  int32_t residual_after_activation;
  int32_t activation; /* cortex_activation */
  float alpha, beta;
  int32_t c_type; /* cortex_element */
  int32_t c_zero_point;
  const float* scale_n;
  const int32_t* compensation_n;
} cortex_epilogue;

enum {
  CORTEX_TILE_ACCUMULATE = 1u, /* C += ...; without it C is overwritten and never read. C holds sums. */
  CORTEX_TILE_EPILOGUE = 2u    /* this call finishes the tile: apply `epilogue`; without it C holds sums */
};

/* The rows of a tile as outputs of a window that may hang over the ends of its input: row i of element b
 * reads position at + step*i + tap_step*(b % taps). The element adds only to the rows whose position is in
 * [0, extent), and only those rows of A_b are read. taps 0: every element adds to every row. */
enum { CORTEX_MAX_WINDOW_TAPS = 64 };
typedef struct cortex_row_window {
  int64_t taps;                       /* <= CORTEX_MAX_WINDOW_TAPS */
  int64_t at, step, tap_step, extent; /* step > 0, tap_step >= 0 */
} cortex_row_window;

/* C[i][j] (+)= sum over b < batch, l < k of A_b[i][l] * B_b[l][j],  0 <= i < m, 0 <= j < n <= nr.
 * m <= mr in kernels of ISA amx and of the variants dots and rows. Others take any m: more rows are tiles one
 * below another, bands of them or as few as can be, whose heights differ by at most one. They then read A by
 * strides or offsets, not by addresses.
 * A_b[i] starts at A_b + i*lda, its k elements are adjacent. B_b[l] starts at B_b + l*ldb, its n
 * elements are adjacent. C[i] starts at c + i*ldc, its n elements are adjacent. A_b and B_b are
 *   addresses:  a_addresses[b], b_addresses[b]          if a_addresses is not NULL (b_addresses too)
 *   offsets:    a + a_offsets[b], b + b_offsets[b]      else if a_offsets is not NULL (b_offsets too)
 *   strides:    a + b*a_batch_stride, b + b*b_batch_stride   otherwise.
 * Kernels of narrow types (kr above 1) count A, B and k in units of kr consecutive elements in 4 bytes: unit
 * l of row i of A is A[i][kr*l .. kr*l+kr-1], unit (l, j) of B is B[kr*l .. kr*l+kr-1][j], and a product is
 * the sum of the elements' products. bf16 sums are f32, 8-bit ones s32 and exact (modulo 2^32). batch >= 0
 * and k >= 0: with either zero the sum is empty (C = 0, or C unchanged, then epilogue).
 * Kernels of the variant dots take B by columns: B_b[.][j] starts at B_b + j*ldb, its k elements are
 * adjacent; they know no window. The last members speak of operands that come from beyond the caches; they
 * affect speed alone, addresses need not be valid, and 0 means nothing. next_rows rows of n elements from
 * `next` on, next_ld bytes apart, are brought near meanwhile: what a later call will read. So is what lies
 * a_ahead bytes from the rows of A that are read, and b_ahead bytes from those of B. c_far 1: C's lines are
 * asked for before the sum begins; 2: nobody reads C soon, and kernels may write it past the caches, by
 * stores that other threads see in order only after an sfence.
 * tiles is for kernels of ISA amx (see cortex_tiles); NULL: each call is a series of its own. These kernels
 * also take several bands of m <= 16 rows, mr / 16 at most: row i of band r reads A_b + r*a_band + i*lda and
 * stands at c + r*c_band + i*ldc, likewise in residual; window and bias_m are those of every band. 0 bands
 * are one. Other kernels take bands for the number of tiles that m rows are cut into. */
typedef struct cortex_tiles cortex_tiles;
typedef struct cortex_brgemm_args {
  const void* a;
  const void* b;
  void* c;
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
  int64_t batch;
  int64_t a_batch_stride, b_batch_stride;
  const int64_t* a_offsets;
  const int64_t* b_offsets;
  const void* const* a_addresses;
  const void* const* b_addresses;
  cortex_row_window window;
  const void* next;
  int64_t next_ld, next_rows;
  int64_t a_ahead, b_ahead;
  uint32_t flags, c_far;
  cortex_tiles* tiles;
  int64_t bands, a_band, c_band;
  cortex_epilogue epilogue;
} cortex_brgemm_args;

typedef void (*cortex_brgemm_fn)(const cortex_brgemm_args*);

/* Depthwise window: for 0 <= y < rows, 0 <= x < outputs, 0 <= c < channels
 *   C[y][x][c] (+)= sum over (d,h,w) in the window of (In[d0 + d*dilation_d][h0 + y*stride_h + h*dilation_h]
 *                   [w0 + x*stride_w + w*dilation_w][c] - in_zero_point) * W[d][h][w][c]
 * where positions outside [0,in_d) x [0,in_h) x [0,in_w) add nothing and are never read. `input` is the
 * address of In[0][0][0][first channel]; d0, h0, w0 may be negative. Channels are adjacent in
 * input, weights and output. Any number of channels, outputs and rows. Elements are of the types the kernel's
 * name says; 8-bit ones are added up in s32, exactly (modulo 2^32), bf16 ones in f32. */
typedef struct cortex_dwconv_args {
  const void* input;
  const void* weights;
  void* output;
  int64_t channels, outputs, rows;
  int64_t d0, h0, w0;
  int64_t in_d, in_h, in_w;
  int64_t kd, kh, kw;
  int64_t stride_h, stride_w;
  int64_t dilation_d, dilation_h, dilation_w;    /* 1 = dense */
  int64_t in_stride_d, in_stride_h, in_stride_w; /* bytes */
  int64_t w_stride_d, w_stride_h, w_stride_w;    /* bytes */
  int64_t out_stride, out_stride_h;              /* bytes between outputs x, between rows y */
  int64_t residual_stride_h;                     /* bytes between rows y; ld_residual: outputs x */
  uint32_t flags;
  int32_t in_zero_point;    /* of 8-bit elements, which can hold it; 0 for others */
  cortex_epilogue epilogue; /* columns n = channels; bias_m is not read */
} cortex_dwconv_args;

typedef void (*cortex_dwconv_fn)(const cortex_dwconv_args*);

/* Copies a box of a tensor into dense scratch, filling what lies outside the tensor with zeros.
 * For every index r with 0 <= r[j] < box[j]:
 *   dst[sum_j dst_stride[j]*r[j]]  =  inside ? src[sum_j src_stride[j]*(origin[j]+r[j])] : 0
 * inside: 0 <= origin[j]+r[j] < shape[j] for all j. All strides in bytes. If panel_dim >= 0 that
 * dimension is split into panels: its term in dst becomes
 *   (r/panel_width)*panel_stride + (r%panel_width)*elem_size,
 * and the last panel is filled with zeros up to panel_width. */
enum { CORTEX_PACK_MAX_RANK = 8 };
typedef struct cortex_pack_desc {
  int32_t rank;
  int32_t elem_size; /* bytes */
  int64_t shape[CORTEX_PACK_MAX_RANK];
  int64_t src_stride[CORTEX_PACK_MAX_RANK];
  int64_t dst_stride[CORTEX_PACK_MAX_RANK];
  int32_t panel_dim; /* -1: none */
  int32_t panel_width;
  int64_t panel_stride;
} cortex_pack_desc;

typedef void (*cortex_pack_fn)(const cortex_pack_desc* desc, const void* src, void* dst,
                               const int64_t* origin, const int64_t* box);

/* One declaration per row of the kernel lists. */
#define CORTEX_KERNEL(op, a, b, c, mr, nr, kr, variant, isa)                           \
  CORTEX_API void cortex_##op##_##a##_##b##_##c##_##mr##x##nr##x##kr##variant##_##isa( \
      const cortex_##op##_args*);
#include <cortex/kernels.inc>
#undef CORTEX_KERNEL

/* A series of calls of kernels of ISA amx on one thread. Their tile registers must be configured for the
 * sizes of a call, which takes as long as 10 multiplications of tiles, and finishing C as long as several: in
 * a series the configuration stays as long as sizes do, and calls leave their C for later ones to finish
 * while those multiply. So until cortex_tiles_release_amx ends the series: C and what the epilogues point to
 * must stay, no call may read or write C of an earlier one with CORTEX_TILE_EPILOGUE, and nothing else on the
 * thread may use tile registers. The caller owns the memory and sets the first two members to 0 before the
 * first call. Linux lets a process use tile registers when it has asked for it (arch_prctl
 * ARCH_REQ_XCOMP_PERM): cortex_context_create does where amx is not capped; else the kernels fault. */
struct cortex_tiles {
  uint64_t configured; /* for which sizes; 0: not */
  uint64_t unfinished; /* what the last calls left; 0: nothing */
  uint64_t memory[1104];
};

/* Finishes what the last calls left and releases the tile registers. Both members are 0 again. */
CORTEX_API void cortex_tiles_release_amx(cortex_tiles* tiles);

/* The packing routine, one per ISA. */
CORTEX_API void cortex_pack_baseline(const cortex_pack_desc*, const void*, void*, const int64_t*,
                                     const int64_t*);
CORTEX_API void cortex_pack_avx2(const cortex_pack_desc*, const void*, void*, const int64_t*, const int64_t*);
CORTEX_API void cortex_pack_avx512(const cortex_pack_desc*, const void*, void*, const int64_t*,
                                   const int64_t*);

/* y[i] = activation(x[i]) for 0 <= i < n; y may be x. alpha and beta as in cortex_epilogue. */
typedef void (*cortex_activate_fn)(int32_t activation, float alpha, float beta, const float* x, float* y,
                                   int64_t n);
CORTEX_API void cortex_activate_baseline(int32_t, float, float, const float*, float*, int64_t);
CORTEX_API void cortex_activate_avx2(int32_t, float, float, const float*, float*, int64_t);
CORTEX_API void cortex_activate_avx512(int32_t, float, float, const float*, float*, int64_t);

#ifdef __cplusplus
}
#endif

#endif
