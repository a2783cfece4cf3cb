#include "microkernels/vector/elements_avx512.h"

#include "microkernels/brgemm/product_u8s8.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 12, 32, 4, avx512)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 1, 128, 4, avx512)
