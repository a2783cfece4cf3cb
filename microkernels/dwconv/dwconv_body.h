// The body of every depthwise kernel that adds up in f32. An ISA file includes its vector vocabulary and
// element_<type>.h, says how many outputs a block may have, then includes this.
//
// The outputs of a call are cut into blocks of nearly equal size; what a block does is block.h's.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/dwconv/block.h"
#include "microkernels/dwconv/plane.h"
#ifdef CORTEX_WINDOWS_BY_COLUMNS
#include "microkernels/dwconv/columns.h"
#endif

namespace cortex {
namespace {

using Block = void (*)(const Plane&, const Place&);

// How to add up windows, and the largest block that leaves registers for the taps.
template <int K, int Stride>
struct Whole {
  static constexpr int rows = whole_rows, columns = block_columns(K);
  template <int R, int X>
  using Window = WholeWindow<R, X, K, Stride>;
};

template <int K, int Stride>
struct ByRows {
  static constexpr int rows = block_rows(K), columns = block_columns(K);
  template <int R, int X>
  using Window = WindowRows<R, X, K, Stride>;
};

template <typename Form>
struct BlockTable {
  Block block[Form::rows][Form::columns];  // [rows - 1][columns - 1]
};

template <typename Form>
constexpr BlockTable<Form> make_blocks() {
  BlockTable<Form> table{};
  unroll<Form::rows>([&](auto r) {
    unroll<Form::columns>([&](auto x) {
      table.block[r][x] =
          block<typename Form::template Window<r.value + 1, x.value + 1>, r.value + 1, x.value + 1>;
    });
  });
  return table;
}

// Rows of blocks; the phases along the width take turns within one, so that they share its lines in cache.
template <typename Form>
CORTEX_INLINE void dense(const Phases& all) {
  static constexpr BlockTable<Form> table = make_blocks<Form>();
  for (int64_t i = 0; i < all.high && i < all.p.rows; ++i) {
    const int64_t outputs = all.h(i).outputs;
    Parts rows(outputs, Form::rows);
    for (int64_t y = 0, high; y < outputs; y += high) {
      high = rows.next();
      for (int64_t j = 0; j < all.wide && j < all.p.outputs; ++j) {
        const Plane plane = all.plane(i, j);
        Parts columns(plane.w.outputs, Form::columns);
        for (int64_t x = 0, wide; x < plane.w.outputs; x += wide) {
          wide = columns.next();
          table.block[high - 1][wide - 1](plane, Place(plane, y, x));
        }
      }
    }
  }
}

template <int R, int X>
CORTEX_INLINE void any_block(const Plane& plane, int64_t y, int64_t x) {
  block<AnyWindow<R, X>, R, X>(plane, Place(plane, y, x));
}

// Outputs whose windows hang over the side go in columns, the others in rows.
CORTEX_INLINE void any_plane(const Plane& plane) {
  const int64_t right = plane.w.inside.end - plane.w.taps;  // the last step where a whole window starts
  int64_t begin = (plane.w.inside.begin + plane.w.stride - 1) / plane.w.stride;
  int64_t end = right < 0 ? 0 : right / plane.w.stride + 1;
  if (end > plane.w.outputs) end = plane.w.outputs;
  if (begin > end) begin = end;
  for (int64_t y = 0; y < plane.h.outputs; ++y) {
    int64_t x = begin;
    for (; x + 8 <= end; x += 8) any_block<1, 8>(plane, y, x);
    if (x + 4 <= end) any_block<1, 4>(plane, y, x), x += 4;
    if (x + 2 <= end) any_block<1, 2>(plane, y, x), x += 2;
    if (x < end) any_block<1, 1>(plane, y, x);
  }
  for (int64_t x = 0; x < plane.w.outputs; ++x) {
    if (x == begin) x = end;
    if (x == plane.w.outputs) break;
    int64_t y = 0;
    for (; y + 4 <= plane.h.outputs; y += 4) any_block<4, 1>(plane, y, x);
    for (; y < plane.h.outputs; ++y) any_block<1, 1>(plane, y, x);
  }
}

CORTEX_INLINE void dwconv(const cortex_dwconv_args* args) {
  const Phases all(*args);
  const int64_t taps = args->kw, stride = args->stride_w * all.wide / (taps == 1 ? 1 : args->dilation_w);
  const bool square = taps == 3 && args->kh == 3 && args->stride_h * all.high == stride * args->dilation_h;
  if constexpr (whole_rows > 0) {
    if (square && stride == 1) return dense<Whole<3, 1>>(all);
    if (square && stride == 2) return dense<Whole<3, 2>>(all);
  } else {
#ifdef CORTEX_WINDOWS_BY_COLUMNS
    const bool high = args->rows >= least_column_rows * all.high;
    if (square && high && stride == 1) return dense_columns<1>(all);
    if (square && high && stride == 2) return dense_columns<2>(all);
#endif
    if (taps == 3 && stride == 1) return dense<ByRows<3, 1>>(all);
    if (taps == 3 && stride == 2) return dense<ByRows<3, 2>>(all);
  }
  if (taps == 5 && stride == 1) return dense<ByRows<5, 1>>(all);
  if (taps == 5 && stride == 2) return dense<ByRows<5, 2>>(all);
  if (taps == 7 && stride == 1) return dense<ByRows<7, 1>>(all);
  if (taps == 7 && stride == 2) return dense<ByRows<7, 2>>(all);
  for (int64_t i = 0; i < all.high && i < args->rows; ++i) {
    for (int64_t j = 0; j < all.wide && j < args->outputs; ++j) any_plane(all.plane(i, j));
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_DWCONV_OF(type, mr, nr, isa)                           \
  extern "C" void cortex_dwconv_##type##_##type##_f32_##mr##x##nr##x1_##isa( \
      const cortex_dwconv_args* args) {                                      \
    cortex::dwconv(args);                                                    \
  }
#define CORTEX_DEFINE_DWCONV(mr, nr, isa) CORTEX_DEFINE_DWCONV_OF(f32, mr, nr, isa)
