#include "microkernels/vector/bytes_baseline.h"

#include "microkernels/sparse/sparse_u8s8_body.h"

CORTEX_DEFINE_SPARSE_U8S8(baseline)
