#include "microkernels/vector/vector_avx2.h"

#include "microkernels/dwconv/element_f32.h"

namespace cortex {
namespace {
// 16 registers: the taps of a window row, a column of the input, and 12, 10 or 7 sums.
constexpr int whole_rows = 0;  // the taps of a whole window would leave too few registers
constexpr int block_rows(int taps) { return taps == 7 ? 1 : 2; }
constexpr int block_columns(int taps) { return taps == 3 ? 6 : taps == 5 ? 5 : 7; }
}  // namespace
}  // namespace cortex

#define CORTEX_WINDOWS_BY_COLUMNS
#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV(12, 8, avx2)
