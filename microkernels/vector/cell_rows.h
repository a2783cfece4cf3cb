// What generated cells say beside the vector vocabulary: their rows, and the last columns of a row. Include a
// vector_<isa>.h first.
#pragma once

#include "cortex/cell_library.h"
#include "microkernels/vector/activation.h"

namespace cortex {
namespace {

CORTEX_INLINE float* strided(const cortex_cell_rows& rows, int64_t i) { return rows.base + i * rows.stride; }
CORTEX_INLINE float* pointed(const cortex_cell_rows& rows, int64_t i) { return rows.at[i]; }

// Asks L1 for columns [begin, end) of a row that lies anywhere.
CORTEX_INLINE void ask(const float* row, int64_t begin, int64_t end) {
  for (int64_t j = begin; j < end; j += 16) __builtin_prefetch(row + j);
}

template <bool whole>
CORTEX_INLINE Vec get(const float* p, Mask mask) {
  return whole ? load(p) : load(mask, p);
}
template <bool whole>
CORTEX_INLINE void put(float* p, Mask mask, Vec v) {
  if (whole) {
    store(p, v);
  } else {
    store(mask, p, v);
  }
}

CORTEX_INLINE Vec relu(Vec x) { return max(zero(), x); }
CORTEX_INLINE Vec sub(Vec a, Vec b) { return add(a, mul(splat(-1.0f), b)); }
// Rounded here: the compiler must not contract it with a sum that follows.
CORTEX_INLINE Vec product(Vec a, Vec b) {
  Vec v = mul(a, b);
  keep(v);
  return v;
}

}  // namespace
}  // namespace cortex
