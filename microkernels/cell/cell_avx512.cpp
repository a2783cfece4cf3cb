#include "microkernels/vector/vector_avx512.h"

namespace cortex {
namespace {

// 2 * lanes bf16 values as f32: those in the low halves of 32-bit words, those in the high ones.
CORTEX_INLINE void load_halves(const char* p, Vec& low, Vec& high) {
  const __m512i pairs = _mm512_loadu_si512(p);
  low = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
  high = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-65536)));
}

}  // namespace
}  // namespace cortex

#include "microkernels/cell/cell_gemm.h"
#include "microkernels/cell/cell_pointwise.h"

CORTEX_DEFINE_CELL(avx512)
