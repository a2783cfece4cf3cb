#include "microkernels/vector/elements_avx2.h"

#include "microkernels/brgemm/product_u8s8.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 4, 16, 4, avx2)
