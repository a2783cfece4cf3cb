#include "microkernels/pack/block_avx512.h"

#include "microkernels/pack/pack_body.h"

CORTEX_DEFINE_PACK(avx512)
