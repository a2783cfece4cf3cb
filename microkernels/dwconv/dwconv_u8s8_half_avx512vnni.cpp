// Half vectors, for up to 32 channels.
#define CORTEX_MULTIPLY_ADD "vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/vector/bytes_avx2.h"

namespace cortex {
namespace {
// Up to 24 sums, 6 quads of taps and one of columns: 31 of 32 registers.
constexpr int block_rows = 3, block_units = 4;
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_u8s8_body.h"

CORTEX_DEFINE_DWCONV_BYTES(24, 32, avx512vnni)
