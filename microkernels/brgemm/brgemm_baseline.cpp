#include "microkernels/vector/vector_baseline.h"

#include "microkernels/brgemm/product_f32.h"

#include "microkernels/brgemm/brgemm_body.h"
#include "microkernels/brgemm/brgemm_rows.h"

CORTEX_DEFINE_BRGEMM(4, 8, baseline)
CORTEX_DEFINE_BRGEMM_ROWS(1536, baseline)
