#include "microkernels/vector/vector_avx512.h"

#include "microkernels/brgemm/product_f32.h"

#include "microkernels/brgemm/brgemm_body.h"
#include "microkernels/brgemm/brgemm_dots.h"
#include "microkernels/brgemm/brgemm_rows.h"

CORTEX_DEFINE_BRGEMM(7, 64, avx512)
CORTEX_DEFINE_BRGEMM(8, 48, avx512)
CORTEX_DEFINE_BRGEMM(14, 32, avx512)
CORTEX_DEFINE_BRGEMM(24, 16, avx512)
CORTEX_DEFINE_BRGEMM(1, 256, avx512)
CORTEX_DEFINE_BRGEMM_ROWS(4096, avx512)
CORTEX_DEFINE_BRGEMM_DOTS(64, 8, avx512)
