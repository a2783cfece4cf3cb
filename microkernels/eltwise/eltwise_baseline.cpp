#include "microkernels/vector/vector_baseline.h"

#include "microkernels/eltwise/eltwise_body.h"

CORTEX_DEFINE_ACTIVATE(baseline)
