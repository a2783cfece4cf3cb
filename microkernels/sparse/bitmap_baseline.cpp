#include "microkernels/vector/vector_baseline.h"

#include "microkernels/vector/elements_portable.h"

namespace cortex {
namespace {

CORTEX_INLINE float widened(float x) { return x; }
CORTEX_INLINE float widened(uint16_t x) { return float_of_bits(static_cast<uint32_t>(x) << 16); }

// Lane i is the next of `values` where bit i is set, else zero.
template <typename Value>
CORTEX_INLINE Vec expanded(const Value* values, unsigned bits) {
  Vec v = zero();
  for (int i = 0; i < lanes; ++i)
    if (bits >> i & 1) v[i] = widened(*values++);
  return v;
}

}  // namespace
}  // namespace cortex

#include "microkernels/sparse/bitmap_body.h"

CORTEX_DEFINE_BITMAP(baseline)
