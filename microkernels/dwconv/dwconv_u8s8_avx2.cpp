#include "microkernels/vector/bytes_avx2.h"

namespace cortex {
namespace {
// 8 sums; columns in halves, and products, take the other registers.
constexpr int block_rows = 2, block_units = 2;
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_u8s8_body.h"

CORTEX_DEFINE_DWCONV_BYTES(8, 32, avx2)
