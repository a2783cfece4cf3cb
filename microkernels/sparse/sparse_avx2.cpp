#include "microkernels/sparse/run_avx2.h"

#include "microkernels/sparse/gather.h"
#include "microkernels/sparse/sparse_body.h"

CORTEX_DEFINE_SPARSE(avx2)
