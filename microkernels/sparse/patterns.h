// Four rows that keep columns of their own: a column is loaded once for those of them that keep it. Columns
// come in runs that the same rows keep, and each of the fifteen sets of rows has a loop of its own.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// R vectors, each in a register for all rows that use it. Half: of the last one the lower half.
template <bool Half, int R>
CORTEX_INLINE void load_column(Vec (&a)[R], const float* column) {
  CORTEX_UNROLL
  for (int j = 0; j < R; ++j) {
    a[j] = Half && j == R - 1 ? load_half(column + j * lanes) : load(column + j * lanes);
    keep(a[j]);
  }
}

// sum += a x w, of the lower half alone or whole.
template <bool Half>
CORTEX_INLINE void add_vector(Vec& sum, Vec a, Vec w) {
  if constexpr (Half) {
    accumulate_half(sum, a, w);
  } else {
    accumulate(sum, a, w);
  }
}

// sums of the rows in Pattern += their values x columns. Half: of the last vector the lower half alone.
template <int Pattern, int R, bool Half, typename Tile>
CORTEX_INLINE void add_run(Tile& tile, const char* panel, const uint32_t*& offset, const uint32_t* end,
                           const float*& values) {
  constexpr int rows = __builtin_popcount(Pattern);
#pragma GCC unroll 1
  for (; offset != end; ++offset, values += rows) {
    const auto* column = reinterpret_cast<const float*>(panel + *offset);
    if constexpr (rows == 1) {
      constexpr int t = __builtin_ctz(Pattern);
      const Vec w = splat_at(values);
      CORTEX_UNROLL
      for (int j = 0; j < R - Half; ++j) tile.v[t][j] = fma(w, load(column + j * lanes), tile.v[t][j]);
      if constexpr (Half) add_vector<true>(tile.v[t][R - 1], load_half(column + (R - 1) * lanes), w);
    } else {
      Vec a[R];
      load_column<Half>(a, column);
      CORTEX_UNROLL
      for (int t = 0; t < 4; ++t) {
        if (!(Pattern >> t & 1)) continue;
        const Vec w = splat_at(values + __builtin_popcount(Pattern & ((1 << t) - 1)));
        unroll<R>([&](auto j) CORTEX_LAMBDA { add_vector<Half && j == R - 1>(tile.v[t][j], a[j], w); });
      }
    }
  }
}

// A group. Returns the words behind it.
template <int R, bool Half, typename Tile>
CORTEX_INLINE const int32_t* add_patterns(Tile& tile, const char* panel, const int32_t* words,
                                          const uint32_t*& offset, const float*& values) {
  for (;;) {
    const auto word = static_cast<uint32_t>(*words++);
    const uint32_t* const end = offset + (word >> 4);
    switch (word & 15) {
#define CORTEX_RUN(pattern)                                      \
  case pattern:                                                  \
    add_run<pattern, R, Half>(tile, panel, offset, end, values); \
    continue;
      CORTEX_RUN(1)
      CORTEX_RUN(2)
      CORTEX_RUN(3)
      CORTEX_RUN(4)
      CORTEX_RUN(5)
      CORTEX_RUN(6)
      CORTEX_RUN(7)
      CORTEX_RUN(8)
      CORTEX_RUN(9)
      CORTEX_RUN(10)
      CORTEX_RUN(11)
      CORTEX_RUN(12)
      CORTEX_RUN(13)
      CORTEX_RUN(14)
      CORTEX_RUN(15)
#undef CORTEX_RUN
    }
    return words;
  }
}

}  // namespace
}  // namespace cortex
