#include "microkernels/vector/elements_avx512.h"

namespace cortex {
namespace {

CORTEX_INLINE int count_of(unsigned bits) { return __builtin_popcount(bits); }

// Lane i is the next of `values` where bit i is set, else zero.
CORTEX_INLINE Vec expanded(const float* values, unsigned bits) {
  return _mm512_maskz_expand_ps(static_cast<Mask>(bits), load(values));
}
CORTEX_INLINE Vec expanded(const uint16_t* values, unsigned bits) {
  const __m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
  return _mm512_castsi512_ps(
      _mm512_maskz_expand_epi32(static_cast<Mask>(bits), _mm512_slli_epi32(words, 16)));
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/bitmap_body.h"

CORTEX_DEFINE_BITMAP(avx512)
