#include "microkernels/pack/block_baseline.h"

#include "microkernels/pack/pack_body.h"

CORTEX_DEFINE_PACK(baseline)
