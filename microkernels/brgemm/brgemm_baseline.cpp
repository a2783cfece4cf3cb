#include "microkernels/vector/vector_baseline.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM(4, 8, baseline)
