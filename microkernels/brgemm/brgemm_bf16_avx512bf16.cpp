#define CORTEX_MULTIPLY_ADD "vdpbf16ps"
#define CORTEX_HAS_DOT
#include "microkernels/vector/elements_avx512.h"

#include "microkernels/brgemm/product_bf16.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 7, 64, 2, avx512bf16)
CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 8, 48, 2, avx512bf16)
CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 14, 32, 2, avx512bf16)
CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 24, 16, 2, avx512bf16)
CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 1, 256, 2, avx512bf16)
