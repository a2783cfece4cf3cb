#include "microkernels/vector/vector_baseline.h"

#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV(1, 4, baseline)
