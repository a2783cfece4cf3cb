#include "microkernels/vector/elements_avx2.h"

namespace cortex {
namespace {

// Of every mask of eight lanes: which of the next values a lane takes, 0x80 where its bit is not set.
struct Orders {
  alignas(64) uint8_t lane[256][8];
  constexpr Orders() : lane{} {
    for (int bits = 0; bits < 256; ++bits) {
      for (int i = 0, next = 0; i < 8; ++i)
        lane[bits][i] = bits >> i & 1 ? static_cast<uint8_t>(next++) : 0x80;
    }
  }
};
constexpr Orders orders;

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
