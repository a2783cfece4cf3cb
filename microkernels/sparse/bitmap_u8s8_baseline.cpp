#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

namespace cortex {
namespace {

using ByteBits = uint16_t;

// (The compiler's own would be a call.)
CORTEX_INLINE int64_t count_of(ByteBits bits) {
  unsigned x = bits;
  x -= x >> 1 & 0x5555;
  x = (x & 0x3333) + (x >> 2 & 0x3333);
  x = (x + (x >> 4)) & 0x0f0f;
  return (x + (x >> 8)) & 0x1f;
}

// Byte i is the next of `values` where bit i is set, else zero. Without branches: no CPU foresees them.
CORTEX_INLINE Vec expanded(const char* values, ByteBits bits) {
  uint64_t half[2] = {};
  CORTEX_UNROLL
  for (int i = 0; i < 16; ++i) {
    const uint64_t bit = bits >> i & 1;
    half[i / 8] |= (static_cast<uint8_t>(*values) & (0 - bit)) << (8 * (i % 8));
    values += bit;
  }
  typedef uint64_t Halves __attribute__((vector_size(16)));
  return (Vec)Halves{half[0], half[1]};
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/bitmap_u8s8_body.h"

CORTEX_DEFINE_BITMAP_U8S8(baseline)
