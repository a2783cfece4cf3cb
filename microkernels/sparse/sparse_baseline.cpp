#include "microkernels/sparse/run_baseline.h"

#include "microkernels/sparse/gather.h"
#include "microkernels/sparse/sparse_body.h"

CORTEX_DEFINE_SPARSE(baseline)
