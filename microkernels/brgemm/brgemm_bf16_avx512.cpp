#include "microkernels/vector/elements_avx512.h"

#include "microkernels/brgemm/product_bf16.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 12, 32, 2, avx512)
CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 1, 128, 2, avx512)
