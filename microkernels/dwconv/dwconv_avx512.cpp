#include "microkernels/vector/vector_avx512.h"

#include "microkernels/dwconv/element_f32.h"

namespace cortex {
namespace {
// 21 sums, 9 taps of a whole 3x3 window and a column of the input: 31 of 32 registers.
constexpr int whole_rows = 3;
constexpr int block_rows(int) { return 2; }
constexpr int block_columns(int) { return 7; }
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV(21, 16, avx512)
