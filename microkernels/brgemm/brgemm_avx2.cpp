#include "microkernels/vector/vector_avx2.h"

#include "microkernels/brgemm/product_f32.h"

#include "microkernels/brgemm/brgemm_body.h"
#include "microkernels/brgemm/brgemm_dots.h"
#include "microkernels/brgemm/brgemm_rows.h"

CORTEX_DEFINE_BRGEMM(4, 24, avx2)
CORTEX_DEFINE_BRGEMM(6, 16, avx2)
CORTEX_DEFINE_BRGEMM(12, 8, avx2)
CORTEX_DEFINE_BRGEMM(1, 96, avx2)
CORTEX_DEFINE_BRGEMM_ROWS(3072, avx2)
CORTEX_DEFINE_BRGEMM_DOTS(64, 8, avx2)
