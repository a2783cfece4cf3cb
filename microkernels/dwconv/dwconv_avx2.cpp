#include "microkernels/vector/vector_avx2.h"

#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV(4, 8, avx2)
