#define CORTEX_MULTIPLY_ADD "vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/vector/bytes_avx512.h"

namespace cortex {
namespace {
// 24 sums, four interleaved columns and their parts: 32 registers.
constexpr int block_rows = 3;
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_u8s8_body.h"

CORTEX_DEFINE_DWCONV_BYTES(6, 64, avx512vnni)
