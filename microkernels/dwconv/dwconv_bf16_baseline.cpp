#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

#include "microkernels/dwconv/element_bf16.h"

namespace cortex {
namespace {
constexpr int whole_rows = 0;  // the taps of a whole window would leave too few registers
constexpr int block_rows(int) { return 1; }
constexpr int block_columns(int) { return 2; }
}  // namespace
}  // namespace cortex

#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV_OF(bf16, 2, 4, baseline)
