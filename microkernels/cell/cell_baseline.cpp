#include "microkernels/vector/vector_baseline.h"

namespace cortex {
namespace {

// 2 * lanes bf16 values as f32: those in the low halves of 32-bit words, those in the high ones.
CORTEX_INLINE void load_halves(const char* p, Vec& low, Vec& high) {
  const Bits pairs = (Bits)load(reinterpret_cast<const float*>(p));
  low = (Vec)(pairs << 16);
  high = (Vec)(pairs & 0xffff0000u);
}

}  // namespace
}  // namespace cortex

#include "microkernels/cell/cell_gemm.h"
#include "microkernels/cell/cell_pointwise.h"

CORTEX_DEFINE_CELL(baseline)
