#include "microkernels/vector/bytes_avx512.h"

namespace cortex {
namespace {
// 16 sums; columns in halves, and products, take other registers.
constexpr int block_rows = 2, block_units = 4;
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_u8s8_body.h"

CORTEX_DEFINE_DWCONV_BYTES(16, 64, avx512)
