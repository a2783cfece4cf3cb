// Bytes expanded eight at a time: AVX2 has no instruction for it.
#pragma once

#include "microkernels/sparse/orders_avx2.h"
#include "microkernels/vector/elements_avx2.h"

namespace cortex {
namespace {

using ByteBits = uint32_t;
CORTEX_INLINE int64_t count_of(ByteBits bits) { return __builtin_popcount(bits); }

// Byte i is the next of `values` where bit i is set, else zero.
CORTEX_INLINE Vec expanded(const char* values, ByteBits bits) {
  const auto eight = [&] CORTEX_LAMBDA {
    const ByteBits low = bits & 0xff;
    const auto load8 = [](const void* p)
                           CORTEX_LAMBDA { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); };
    const __m128i bytes = _mm_shuffle_epi8(load8(values), load8(orders.lane[low]));
    values += count_of(low);
    bits >>= 8;
    return bytes;
  };
  const __m128i b0 = eight(), b1 = eight(), b2 = eight(), b3 = eight();
  return _mm256_castsi256_ps(_mm256_set_m128i(_mm_unpacklo_epi64(b2, b3), _mm_unpacklo_epi64(b0, b1)));
}

}  // namespace
}  // namespace cortex
