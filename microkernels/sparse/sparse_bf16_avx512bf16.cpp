#define CORTEX_MULTIPLY_ADD "vdpbf16ps"
#include "microkernels/sparse/halves_avx512.h"

#include "microkernels/sparse/part_avx512.h"

#include "microkernels/sparse/sparse_bf16_body.h"

CORTEX_DEFINE_SPARSE_BF16(avx512bf16)
