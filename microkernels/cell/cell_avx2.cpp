#include "microkernels/vector/vector_avx2.h"

namespace cortex {
namespace {

// 2 * lanes bf16 values as f32: those in the low halves of 32-bit words, those in the high ones.
CORTEX_INLINE void load_halves(const char* p, Vec& low, Vec& high) {
  const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  low = _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
  high = _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(-65536)));
}

}  // namespace
}  // namespace cortex

#include "microkernels/cell/cell_gemm.h"
#include "microkernels/cell/cell_pointwise.h"

CORTEX_DEFINE_CELL(avx2)
