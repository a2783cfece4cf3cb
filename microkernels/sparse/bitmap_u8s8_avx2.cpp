#include "microkernels/sparse/expand_bytes_avx2.h"

#include "microkernels/sparse/bitmap_u8s8_body.h"

CORTEX_DEFINE_BITMAP_U8S8(avx2)
