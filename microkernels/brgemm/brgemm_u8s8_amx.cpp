#define CORTEX_TILE_MULTIPLY "tdpbusd"
#include "microkernels/vector/elements_avx512.h"

#include "microkernels/brgemm/product_u8s8.h"

#include "microkernels/brgemm/amx_body.h"

CORTEX_DEFINE_BRGEMM_TILES(u8, s8, s32, 32, 32, 4)
CORTEX_DEFINE_BRGEMM_TILES(u8, s8, s32, 16, 64, 4)
CORTEX_DEFINE_BRGEMM_TILES(u8, s8, s32, 64, 16, 4)

extern "C" void cortex_tiles_release_amx(cortex_tiles* tiles) { cortex::end_series(tiles); }
