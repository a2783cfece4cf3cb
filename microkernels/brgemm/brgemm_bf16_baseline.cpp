#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

#include "microkernels/brgemm/product_bf16.h"

#include "microkernels/brgemm/brgemm_body.h"

CORTEX_DEFINE_BRGEMM_OF(bf16, bf16, f32, 4, 8, 2, baseline)
