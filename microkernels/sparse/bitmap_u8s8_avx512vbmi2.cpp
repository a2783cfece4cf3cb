#define CORTEX_MULTIPLY_ADD "vpdpbusd"
#define CORTEX_HAS_DOT
#include "microkernels/vector/elements_avx512.h"

namespace cortex {
namespace {

using ByteBits = uint64_t;
CORTEX_INLINE int64_t count_of(ByteBits bits) { return __builtin_popcountll(bits); }

// Byte i is the next of `values` where bit i is set, else zero. In place: Zen 4's instruction waits for what
// its result's register held before, zeroed or not, and reads no memory but by microcode.
CORTEX_INLINE Vec expanded(const char* values, ByteBits bits) {
  __m512i v = _mm512_loadu_si512(values);
  asm("vpexpandb %0, %0%{%1%}%{z%}" : "+v"(v) : "Yk"(static_cast<__mmask64>(bits)));
  return _mm512_castsi512_ps(v);
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/bitmap_u8s8_body.h"

CORTEX_DEFINE_BITMAP_U8S8(avx512vbmi2)
