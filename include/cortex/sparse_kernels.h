/* Microkernels for weights with zeros. The rules of microkernels.h hold; sizes in elements, strides in bytes.
 *
 * Points (pixels) lie in the lanes. A panel holds, for each column of the weights that is needed, the inputs
 * of a few vectors of points; a group of T rows of the weights (output channels) shares one list of the
 * columns it keeps. Any structure of zeros is then a matter of lists. */
#ifndef CORTEX_SPARSE_KERNELS_H
#define CORTEX_SPARSE_KERNELS_H

#include <cortex/microkernels.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  CORTEX_SPARSE_VECTORS = 7,    /* of points in a panel, at most */
  CORTEX_SPARSE_OFFSET_UNIT = 8 /* bytes */
};

/* C[g*T + t][j] = sums[g*T + t][j] + sum over i < counts[g] of value(g, i, t) * column(g, i)[j]
 * for 0 <= g < groups, 0 <= t < T, 0 <= j < n; n <= CORTEX_SPARSE_VECTORS vectors.
 * column(g, i): n adjacent elements at panel + 8*offset(g, i); all of every vector is read, what lies beyond
 * n does not matter. offsets and values stand one after the other, group by group, T values to an offset.
 * sums: NULL for zeros. It may be C. Rows of C, sums and residual are ldc, ld_sums and epilogue.ld_residual
 * bytes apart. CORTEX_TILE_EPILOGUE finishes C; the epilogue's columns (n) are points, its rows (m) outputs.
 */
typedef struct cortex_sparse_args {
  const void* panel;
  const uint16_t* offsets;
  const float* values;
  const int32_t* counts;
  int64_t groups, n;
  const void* sums;
  int64_t ld_sums;
  void* c;
  int64_t ldc;
  uint32_t flags;
  cortex_epilogue epilogue;
} cortex_sparse_args;

typedef void (*cortex_sparse_fn)(const cortex_sparse_args*);

/* A column of the weights: an input channel seen through a tap of the window. */
typedef struct cortex_sparse_column {
  int32_t channel, tap;
} cortex_sparse_column;

/* Some lanes of a vector of points: lane i is the element offset + step*i of the channel. */
typedef struct cortex_sparse_piece {
  int64_t offset;
  uint32_t lanes;  /* one bit each */
  uint32_t spread; /* the same bits at twice their positions */
} cortex_sparse_piece;

/* Fills a panel: vector v of column i is made of the pieces first_piece[tap*vectors + v] to the next one's,
 * zeros between them. first_piece NULL: of piece tap*vectors + v alone. No lane is in two pieces. */
typedef struct cortex_sparse_gather_args {
  const void* src; /* channel 0 */
  int64_t ld_channel;
  const cortex_sparse_column* columns;
  int64_t count;
  const cortex_sparse_piece* pieces;
  const int32_t* first_piece;
  int64_t vectors, step;
  void* panel;
  int64_t ld_panel; /* of a column to the next; a multiple of CORTEX_SPARSE_OFFSET_UNIT */
} cortex_sparse_gather_args;

typedef void (*cortex_sparse_gather_fn)(const cortex_sparse_gather_args*);

/* rows<T>: T output channels share their columns. lanes: elements in a vector of points. */
#define CORTEX_SPARSE_KERNELS(isa)                                      \
  CORTEX_API void cortex_sparse_rows1_##isa(const cortex_sparse_args*); \
  CORTEX_API void cortex_sparse_rows2_##isa(const cortex_sparse_args*); \
  CORTEX_API void cortex_sparse_rows4_##isa(const cortex_sparse_args*); \
  CORTEX_API void cortex_sparse_gather_##isa(const cortex_sparse_gather_args*);
CORTEX_SPARSE_KERNELS(baseline)
CORTEX_SPARSE_KERNELS(avx2)
CORTEX_SPARSE_KERNELS(avx512)
#undef CORTEX_SPARSE_KERNELS

enum { CORTEX_SPARSE_LANES_BASELINE = 4, CORTEX_SPARSE_LANES_AVX2 = 8, CORTEX_SPARSE_LANES_AVX512 = 16 };

#ifdef __cplusplus
}
#endif

#endif
