#include "microkernels/vector/vector_avx512.h"

#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV(4, 16, avx512)
