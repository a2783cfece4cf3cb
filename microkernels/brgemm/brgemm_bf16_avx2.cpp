#include "microkernels/vector/elements_avx2.h"

#include "microkernels/brgemm/product_bf16.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 4, 16, 2, avx2)
