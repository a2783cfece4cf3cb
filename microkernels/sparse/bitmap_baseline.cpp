#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

namespace cortex {
namespace {

CORTEX_INLINE uint32_t as_f32(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}
CORTEX_INLINE uint32_t as_f32(uint16_t x) { return static_cast<uint32_t>(x) << 16; }

// Of four bits. (The compiler's own would be a call.)
CORTEX_INLINE int count_of(unsigned bits) { return static_cast<int>(0x4332322132212110u >> (4 * bits) & 7); }

// Lane i is the next of `values` where bit i is set, else zero. Without branches: no CPU foresees them.
template <typename Value>
CORTEX_INLINE Vec expanded(const Value* values, unsigned bits) {
  const auto lane = [&](unsigned i) CORTEX_LAMBDA {
    return as_f32(values[count_of(bits & ((1u << i) - 1))]) & (0 - (bits >> i & 1));
  };
  return (Vec)Bits{lane(0), lane(1), lane(2), lane(3)};
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/bitmap_body.h"

CORTEX_DEFINE_BITMAP(baseline)
