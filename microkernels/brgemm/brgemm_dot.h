// One column of B whose elements are adjacent: every element of C is a dot product. The lanes run along k,
// where the tile body would leave all but one of them idle.
#pragma once

#include <stdint.h>

#include "microkernels/vector/rows.h"

namespace cortex {
namespace {

template <int M>
struct Dots {
  Vec acc[M];

  CORTEX_INLINE void clear() {
    unroll<M>([&](auto i) CORTEX_LAMBDA { acc[i] = zero(); });
  }

  CORTEX_INLINE void multiply(const char* a_rows, int64_t lda, const char* b, int64_t k) {
    RowPointers<M> a(a_rows, lda);
    int64_t left = k;
#pragma GCC unroll 1
    for (; left >= lanes; left -= lanes) {
      Vec x = load(reinterpret_cast<const float*>(b));
      keep(x);
      unroll<M>([&](auto i)
                    CORTEX_LAMBDA { Product::accumulate(acc[i], a.template load_row<i.value>(), x); });
      a.advance(4 * lanes);
      b += 4 * lanes;
    }
    if (left > 0) {
      const Mask mask = first_lanes(left);
      Vec x = load(mask, reinterpret_cast<const float*>(b));
      keep(x);
      unroll<M>([&](auto i)
                    CORTEX_LAMBDA { Product::accumulate(acc[i], a.template load_row<i.value>(mask), x); });
    }
  }
};

}  // namespace
}  // namespace cortex
