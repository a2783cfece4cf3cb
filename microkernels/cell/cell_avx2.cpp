#include "microkernels/vector/vector_avx2.h"

#include "microkernels/cell/cell_gemm.h"
#include "microkernels/cell/cell_pointwise.h"

CORTEX_DEFINE_CELL(avx2)
