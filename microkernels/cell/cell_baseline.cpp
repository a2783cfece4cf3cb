#include "microkernels/vector/vector_baseline.h"

#include "microkernels/cell/cell_gemm.h"
#include "microkernels/cell/cell_pointwise.h"

CORTEX_DEFINE_CELL(baseline)
