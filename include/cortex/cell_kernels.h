/* Microkernels of recursive cells. The rules of microkernels.h hold; sizes in elements, strides in bytes.
 *
 * Every element is summed in the order of k, from its initial value, by one chain of multiply-adds: what it
 * comes to does not depend on m, on n, or on where a caller divides rows and columns. */
#ifndef CORTEX_CELL_KERNELS_H
#define CORTEX_CELL_KERNELS_H

#include <cortex/microkernels.h>

#ifdef __cplusplus
extern "C" {
#endif

/* C[i][j] = (init[i][j] + sum over l < k of A[i][l] * B[l][j]) + plus[i][j],  0 <= i < m, 0 <= j < n; any m,
 * n, k. A[i] starts at a + i*lda. C[i] starts at c + i*ldc. B is held in panels of cortex_cell_panel_<isa>
 * columns: B[l][j] is at b + (j / panel)*panel_stride + l*ldb + (j % panel)*4; nothing beyond column n is
 * read. init: C's old value with CORTEX_TILE_ACCUMULATE, else bias[j], or zero if bias is NULL. plus[i]
 * starts at plus + i*ldplus; NULL: nothing is added. */
typedef struct cortex_cell_gemm_args {
  const void* a;
  const void* b;
  void* c;
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
  int64_t panel_stride;
  const float* bias;
  uint32_t flags;      /* CORTEX_TILE_ACCUMULATE */
  uint32_t last_first; /* 1: walks the panels from the last to the first */
  const float* plus;
  int64_t ldplus;
} cortex_cell_gemm_args;

/* The same with B in bf16, whole panels of it: B[l][j] is the low half of the 32-bit word (j % panel) %
 * (panel/2) of the row at b + (j / panel)*panel_stride + l*ldb where j % panel < panel/2, else its high half.
 * Every B[l][j] is made f32, which is exact, and used as above. */

typedef void (*cortex_cell_gemm_fn)(const cortex_cell_gemm_args*);

/* One step of an element-wise program over rows of n values. Operands are indices of an array of row
 * pointers; -1 where the step has none. activation: cortex_activation, of which sigmoid, tanh, relu (alpha 0)
 * and none are known, or CORTEX_CELL_EXP. */
enum { CORTEX_CELL_EXP = 100 };
typedef enum cortex_cell_op {
  CORTEX_CELL_FORM = 0, /* dst = activation(a [+ b [+ c]]) [* d] [+ e] */
  CORTEX_CELL_SUB = 1,  /* dst = a - b */
  CORTEX_CELL_DIV = 2,  /* dst = a / b */
  CORTEX_CELL_MAX = 3,  /* dst = the larger of a and b */
  CORTEX_CELL_MIN = 4,
  CORTEX_CELL_AFFINE = 5, /* dst = alpha * a + beta */
  CORTEX_CELL_FILL = 6    /* dst = alpha */
} cortex_cell_op;

typedef struct cortex_cell_step {
  int32_t op;
  int32_t activation;
  int32_t dst, a, b, c, d, e;
  float alpha, beta;
} cortex_cell_step;

/* Runs the steps over columns [0, n) of the rows; a row may be dst and operand at once, but rows must not
 * overlap otherwise. */
typedef void (*cortex_cell_pointwise_fn)(const cortex_cell_step* steps, int32_t count, float* const* rows,
                                         int64_t n);

#define CORTEX_CELL_KERNELS(isa)                                                            \
  CORTEX_API void cortex_cell_gemm_##isa(const cortex_cell_gemm_args* args);                \
  CORTEX_API void cortex_cell_gemm_bf16_##isa(const cortex_cell_gemm_args* args);           \
  CORTEX_API void cortex_cell_pointwise_##isa(const cortex_cell_step* steps, int32_t count, \
                                              float* const* rows, int64_t n);
CORTEX_CELL_KERNELS(baseline)
CORTEX_CELL_KERNELS(avx2)
CORTEX_CELL_KERNELS(avx512)
#undef CORTEX_CELL_KERNELS

/* Columns of a panel: two vectors. */
enum { cortex_cell_panel_baseline = 8, cortex_cell_panel_avx2 = 16, cortex_cell_panel_avx512 = 32 };

#ifdef __cplusplus
}
#endif

#endif
