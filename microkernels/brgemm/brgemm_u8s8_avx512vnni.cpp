#define CORTEX_MULTIPLY_ADD "vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/vector/elements_avx512.h"

#include "microkernels/brgemm/product_u8s8.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 7, 64, 4, avx512vnni)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 8, 48, 4, avx512vnni)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 14, 32, 4, avx512vnni)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 24, 16, 4, avx512vnni)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 1, 256, 4, avx512vnni)
