// The VEX form: without the prefix the assembler takes the EVEX form, which is AVX-512's.
#define CORTEX_MULTIPLY_ADD "%{vex%} vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/vector/bytes_avx2.h"

namespace cortex {
namespace {
// 8 sums, 6 quads of taps and one of columns: 15 of 16 registers.
constexpr int block_rows = 2, block_units = 2;
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_u8s8_body.h"

CORTEX_DEFINE_DWCONV_BYTES(8, 32, avx2vnni)
