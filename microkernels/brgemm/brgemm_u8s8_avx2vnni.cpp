// The VEX form: without the prefix the assembler takes the EVEX form, which is AVX-512's.
#define CORTEX_MULTIPLY_ADD "%{vex%} vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/vector/elements_avx2.h"

#include "microkernels/brgemm/product_u8s8.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 4, 24, 4, avx2vnni)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 6, 16, 4, avx2vnni)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 12, 8, 4, avx2vnni)
CORTEX_DEFINE_BRGEMM_OF(u8, s8, s32, 1, 96, 4, avx2vnni)
