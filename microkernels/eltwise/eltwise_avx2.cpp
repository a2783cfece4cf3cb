#include "microkernels/vector/vector_avx2.h"

#include "microkernels/eltwise/eltwise_body.h"

CORTEX_DEFINE_ACTIVATE(avx2)
