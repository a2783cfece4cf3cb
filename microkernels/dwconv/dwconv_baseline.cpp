#include "microkernels/vector/vector_baseline.h"

namespace cortex {
namespace {
constexpr int outputs_at_once = 2;
}
}  // namespace cortex

#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV(1, 4, baseline)
