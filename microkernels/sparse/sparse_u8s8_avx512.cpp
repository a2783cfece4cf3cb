#include "microkernels/vector/bytes_avx512.h"

#include "microkernels/sparse/part_avx512.h"

#include "microkernels/sparse/sparse_u8s8_body.h"

CORTEX_DEFINE_SPARSE_U8S8(avx512)
