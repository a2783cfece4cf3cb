// Addressing of up to 24 rows from few registers: one base pointer per eight rows and four multiples of the
// row pitch, which x86 addressing scales by 1, 2 or 4 for the rest.
#pragma once

#include <stdint.h>

#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

template <int M>
struct RowPointers {
  static constexpr int groups = (M + 7) / 8;
  const char* base[groups];
  int64_t pitch1, pitch3, pitch5, pitch7;

  CORTEX_INLINE RowPointers(const char* rows, int64_t pitch)
      : pitch1(pitch), pitch3(3 * pitch), pitch5(5 * pitch), pitch7(7 * pitch) {
    unroll<groups>([&](auto g) CORTEX_LAMBDA { base[g] = rows + 8 * g * pitch; });
  }

  CORTEX_INLINE void advance(int64_t bytes) {
    unroll<groups>([&](auto g) CORTEX_LAMBDA { base[g] += bytes; });
  }

  static constexpr int scale(int row) {
    constexpr int scales[8] = {0, 1, 2, 1, 4, 1, 2, 1};
    return scales[row % 8];
  }
  template <int Row>
  CORTEX_INLINE int64_t offset() const {
    constexpr int r = Row % 8;
    return r == 3 || r == 6 ? pitch3 : r == 5 ? pitch5 : r == 7 ? pitch7 : pitch1;
  }

  // Asks L2 for the line `ahead` bytes from every row's pointer.
  CORTEX_INLINE void ask(int64_t ahead) const {
    unroll<groups>([&](auto g) CORTEX_LAMBDA {
      const char* const rows = base[g] + ahead;
      constexpr int in_group = M - 8 * g < 8 ? M - 8 * g : 8;
      unroll<in_group>([&](auto i)
                           CORTEX_LAMBDA { __builtin_prefetch(rows + scale(i) * offset<i>(), 0, 2); });
    });
  }

  template <int Row, int Disp>
  CORTEX_INLINE Vec broadcast_row() const {
    return broadcast_at<Disp, scale(Row)>(base[Row / 8], offset<Row>());
  }
  template <int Row, int Disp>
  CORTEX_INLINE void accumulate_row3(Vec* acc, const Vec* b) const {
    accumulate3_at<Disp, scale(Row)>(acc, base[Row / 8], offset<Row>(), b);
  }
  template <int Row>
  CORTEX_INLINE Vec load_row() const {
    return load_at<scale(Row)>(base[Row / 8], offset<Row>());
  }
  template <int Row>
  CORTEX_INLINE Vec load_row(Mask mask) const {
    return load_at<scale(Row)>(mask, base[Row / 8], offset<Row>());
  }
  template <int Row, int Disp>
  CORTEX_INLINE void accumulate_row(Vec& acc, Vec b) const {
    accumulate_at<Disp, scale(Row)>(acc, base[Row / 8], offset<Row>(), b);
  }
  template <int Row, int Disp>
  CORTEX_INLINE void accumulate_half_row(Vec& acc, Vec b) const {
    accumulate_half_at<Disp, scale(Row)>(acc, base[Row / 8], offset<Row>(), b);
  }
};

}  // namespace
}  // namespace cortex
