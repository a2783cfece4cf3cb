#include "microkernels/vector/vector_avx512.h"

namespace cortex {
namespace {
constexpr int outputs_at_once = 8;
}
}  // namespace cortex

#include "microkernels/dwconv/dwconv_body.h"

CORTEX_DEFINE_DWCONV(4, 16, avx512)
