#include "microkernels/vector/bytes_avx512.h"

namespace cortex {
namespace {
// 16 sums; columns in halves, and products, take the other registers.
constexpr int block_rows = 2;
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_u8s8_body.h"

CORTEX_DEFINE_DWCONV_BYTES(4, 64, avx512)
