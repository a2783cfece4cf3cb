#include "microkernels/pack/block_avx2.h"

#include "microkernels/pack/pack_body.h"

CORTEX_DEFINE_PACK(avx2)
