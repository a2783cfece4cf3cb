#define CORTEX_TILE_MULTIPLY "tdpbf16ps"
#include "microkernels/vector/elements_avx512.h"

#include "microkernels/brgemm/product_bf16.h"

#include "microkernels/brgemm/amx_body.h"

CORTEX_DEFINE_BRGEMM_TILES(bf16, bf16, f32, 32, 32, 2)
CORTEX_DEFINE_BRGEMM_TILES(bf16, bf16, f32, 16, 64, 2)
CORTEX_DEFINE_BRGEMM_TILES(bf16, bf16, f32, 64, 16, 2)
