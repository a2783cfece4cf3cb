/* Microkernels for weights with zeros. The rules of microkernels.h hold; sizes in elements, strides in bytes.
 *
 * Points (pixels, or one pixel of several images) lie in the lanes. A panel holds of each input channel what
 * the window of a tile of points sees: rows of the input and the zeros around it, so that a tap of the window
 * is an offset into it. A group of T rows of the weights (output channels) shares one list of the columns it
 * keeps, a column being an input channel through a tap. Any structure of zeros is then a matter of lists. */
#ifndef CORTEX_SPARSE_KERNELS_H
#define CORTEX_SPARSE_KERNELS_H

#include <cortex/microkernels.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CORTEX_SPARSE_VECTORS = 7 /* of points in a tile, at most */ };

/* Where a vector of points goes in a row of C: element offset + i comes from lane lane[i], 0 <= i < count. */
typedef struct cortex_sparse_place {
  int32_t offset, count;
  uint8_t lane[16];
} cortex_sparse_place;

/* What the caller reads next, brought to L2 between groups: of channels[i], 0 <= i < count, the lines of the
 * cache at base + channels[i]*ld_channel + lines[j] bytes, 0 <= j < line_count. */
typedef struct cortex_sparse_next {
  const void* base;
  const int32_t* channels;
  int64_t count; /* 0: nothing */
  int64_t ld_channel;
  const int64_t* lines;
  int64_t line_count;
} cortex_sparse_next;

/* C[g*T + t][j] = sums[g*T + t][j] + sum over i < counts[g] of value(g, i, t) * column(g, i)[j]
 * for 0 <= g < groups, 0 <= t < T, 0 <= j < n; n <= CORTEX_SPARSE_VECTORS vectors.
 * column(g, i): n adjacent elements at panel + offset(g, i) bytes; all of every vector is read, what lies
 * beyond n does not matter. offsets and values stand one after the other, group by group, T values to an
 * offset. sums: NULL for zeros. It may be C. Rows of C, sums and residual are ldc, ld_sums and
 * epilogue.ld_residual bytes apart. CORTEX_TILE_EPILOGUE finishes C; the epilogue's columns (n) are points,
 * its rows (m) outputs.
 * places, with CORTEX_TILE_EPILOGUE alone: of each vector where its lanes, no later one than n says, go in C
 * and in residual (sums stay as they are).
 * With CORTEX_TILE_EPILOGUE C's and residual's elements are epilogue.c_type, f32 or bf16; offsets count them.
 * patterns4 (T = 4): a column has values of those of the four rows alone that keep it, in the order of rows.
 * Of a group counts holds words: bits 0 to 3 say which rows keep the columns that come next (not none), the
 * bits above how many these are; a zero ends the group.
 * u8s8: the panel is bytes, columns come in fours: counts are of fours, and a four has 4 offsets and of each
 * of its T rows 4 adjacent s8 (a list is filled up with zeros, at any column). Sums are s32, exact modulo
 * 2^32, whole vectors of points in an order of the kernel's own, which C holds too without
 * CORTEX_TILE_EPILOGUE; where sums is NULL they begin with compensation[row] (NULL: 0). The epilogue turns
 * them to f32, multiplies with scale[row] (NULL: 1) and goes on as cortex_epilogue says; C's elements are
 * c_type. places: NULL.
 * bf16: the panel is bf16, columns come in pairs: counts are of pairs, and a pair has 2 offsets and of each
 * of its T rows 2 adjacent bf16. Sums are f32, whole vectors of points in an order of the kernel's own, which
 * C holds too without CORTEX_TILE_EPILOGUE; with it C's elements are c_type, bf16 or f32. places: NULL.
 */
typedef struct cortex_sparse_args {
  const void* panel;
  const uint32_t* offsets;
  const void* values;
  const int32_t* counts;
  int64_t groups, n;
  const void* sums;
  int64_t ld_sums;
  void* c;
  int64_t ldc;
  const cortex_sparse_place* places;
  cortex_sparse_next next;
  const int32_t* compensation; /* u8s8 */
  const float* scale;          /* u8s8 */
  uint32_t flags;
  uint32_t c_far; /* 2: as of cortex_brgemm_args */
  cortex_epilogue epilogue;
} cortex_sparse_args;

typedef void (*cortex_sparse_fn)(const cortex_sparse_args*);

/* A vector of a channel's panel, from memory:
 *   step 1: lane i is element from + i of the channel where bit i of low is set, else zero;
 *   step 2: lane i is element from + 2*i where bit 2*i of high:low (a vector's lanes each) is set, else zero;
 *   others: lane i is element from + step*i where bit i of low is set, else zero.
 * It goes to element `to` of the channel's panel. Only elements whose bit is set are read. The first `count`
 * lanes matter, no bit stands for a later one; those behind them are written or not. */
typedef struct cortex_sparse_run {
  int64_t from;
  uint64_t low, high;
  int64_t to, count;
} cortex_sparse_run;

/* Fills the panels of channels, `count` of them, each with all runs in order: of two that overlap the later
 * one stays. Panels are ld_panel bytes apart; a whole vector of every run stays inside its panel.
 * u8s8, bf16: elements are bytes or pairs of them, of step 2 `together` adjacent ones (see there) stay
 * together. u8s8: `fill` stands where others write zero, elements of src have the bits of `flip` flipped
 * (0x80 adds 128 to an s8). */
typedef struct cortex_sparse_gather_args {
  const void* src; /* what `from` of channel 0 counts from */
  int64_t ld_channel;
  const int32_t* channels;
  int64_t count;
  const cortex_sparse_run* runs;
  int64_t run_count, step;
  void* panel;
  int64_t ld_panel;
  int32_t fill, flip; /* u8s8; bf16: 0 */
  /* 1; or, of u8s8 a quarter, of bf16 half of a vector's elements: so many are one element to step 2 */
  int32_t together;
} cortex_sparse_gather_args;

typedef void (*cortex_sparse_gather_fn)(const cortex_sparse_gather_args*);

/* rows<T>: T output channels share their columns; patterns4: above. lanes: elements of f32 in a vector of
 * points; of bf16 there are twice as many, of bytes four times. */
#define CORTEX_SPARSE_KERNELS(name)                                      \
  CORTEX_API void cortex_sparse_rows1_##name(const cortex_sparse_args*); \
  CORTEX_API void cortex_sparse_rows2_##name(const cortex_sparse_args*); \
  CORTEX_API void cortex_sparse_rows4_##name(const cortex_sparse_args*); \
  CORTEX_API void cortex_sparse_gather_##name(const cortex_sparse_gather_args*);
CORTEX_SPARSE_KERNELS(baseline)
CORTEX_SPARSE_KERNELS(avx2)
CORTEX_SPARSE_KERNELS(avx512)
CORTEX_SPARSE_KERNELS(bf16_avx512bf16)
CORTEX_SPARSE_KERNELS(u8s8_baseline)
CORTEX_SPARSE_KERNELS(u8s8_avx2)
CORTEX_SPARSE_KERNELS(u8s8_avx2vnni)
CORTEX_SPARSE_KERNELS(u8s8_avx512)
CORTEX_SPARSE_KERNELS(u8s8_avx512vnni)
#undef CORTEX_SPARSE_KERNELS

CORTEX_API void cortex_sparse_patterns4_baseline(const cortex_sparse_args*);
CORTEX_API void cortex_sparse_patterns4_avx2(const cortex_sparse_args*);
CORTEX_API void cortex_sparse_patterns4_avx512(const cortex_sparse_args*);

/* Panels of f32 from sources of bf16. */
CORTEX_API void cortex_sparse_gather_bf16_f32_baseline(const cortex_sparse_gather_args*);
CORTEX_API void cortex_sparse_gather_bf16_f32_avx2(const cortex_sparse_gather_args*);
CORTEX_API void cortex_sparse_gather_bf16_f32_avx512(const cortex_sparse_gather_args*);

/* C[i][j] = sum over l < k of a[i][l] * b[l][j] for 0 <= i < m, 0 <= j < n, finished by the epilogue (its
 * columns are j). Of b: blocks of CORTEX_BITMAP_VECTORS vectors of columns (the last one may be cut short),
 * one after the other; `bits` holds k masks of each, bit c (little-endian) for column c of the block, bits
 * beyond n zero; `values` (f32, or bf16 of cortex_bitmap_bf16_*) the weights whose bits are set, in the order
 * of the bits. Behind the last one a vector must be readable. a is f32: a[i][l] at a + i*a_row + l*a_column
 * bytes. C's and residual's elements are epilogue.c_type, f32 or bf16; their rows are ldc and
 * epilogue.ld_residual bytes apart.
 * u8s8: a is u8 and b s8, fours of k take the place of single ones, as in cortex_brgemm_args: k counts
 * them, a four of a is 4 adjacent bytes, and bit 4*c + i of a mask is of element i of column c's four. Sums
 * are s32, exact modulo 2^32; compensation_n and scale_n are read, C's elements are c_type. */
enum { CORTEX_BITMAP_VECTORS = 4 };
typedef struct cortex_bitmap_args {
  const void* a;
  int64_t a_row, a_column;
  const void* bits;
  const void* values;
  int64_t m, n, k;
  void* c;
  int64_t ldc;
  cortex_epilogue epilogue;
} cortex_bitmap_args;

typedef void (*cortex_bitmap_fn)(const cortex_bitmap_args*);

CORTEX_API void cortex_bitmap_f32_baseline(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_f32_avx2(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_f32_avx512(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_bf16_baseline(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_bf16_avx2(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_bf16_avx512(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_u8s8_baseline(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_u8s8_avx2(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_u8s8_avx2vnni(const cortex_bitmap_args*);
CORTEX_API void cortex_bitmap_u8s8_avx512vbmi2(const cortex_bitmap_args*); /* avx512vnni and AVX512_VBMI2 */

enum { CORTEX_SPARSE_LANES_BASELINE = 4, CORTEX_SPARSE_LANES_AVX2 = 8, CORTEX_SPARSE_LANES_AVX512 = 16 };

#ifdef __cplusplus
}
#endif

#endif
