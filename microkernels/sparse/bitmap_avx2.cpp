#include "microkernels/sparse/orders_avx2.h"
#include "microkernels/vector/elements_avx2.h"

namespace cortex {
namespace {

CORTEX_INLINE Vec put(Vec values, unsigned bits) {
  const __m256i order =
      _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(orders.lane[bits])));
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(values, order), zero(), _mm256_castsi256_ps(order));
}

CORTEX_INLINE int count_of(unsigned bits) { return __builtin_popcount(bits); }

// Lane i is the next of `values` where bit i is set, else zero.
CORTEX_INLINE Vec expanded(const float* values, unsigned bits) { return put(load(values), bits); }
CORTEX_INLINE Vec expanded(const uint16_t* values, unsigned bits) {
  const __m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
  return put(_mm256_castsi256_ps(_mm256_slli_epi32(words, 16)), bits);
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/bitmap_body.h"

CORTEX_DEFINE_BITMAP(avx2)
