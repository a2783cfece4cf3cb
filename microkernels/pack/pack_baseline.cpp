#include "microkernels/pack/pack_body.h"

CORTEX_DEFINE_PACK(baseline)
