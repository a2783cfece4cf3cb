// The VEX form: without the prefix the assembler takes the EVEX form, which is AVX-512's.
#define CORTEX_MULTIPLY_ADD "%{vex%} vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/sparse/expand_bytes_avx2.h"

#include "microkernels/sparse/bitmap_u8s8_body.h"

CORTEX_DEFINE_BITMAP_U8S8(avx2vnni)
