// A block of outputs, bytes: R rows of one or two columns for one group of channels. Four columns of the
// input are interleaved, so that one multiplication adds four taps of a row. With stride 1 the same four
// serve two outputs, whose taps are interleaved with a shift. The sums stay in registers meanwhile.
#pragma once

#include <stdint.h>

#include "microkernels/dwconv/finish_bytes.h"

namespace cortex {
namespace {

// A window of K x K taps with the same stride both ways.
template <int K, int Stride>
struct Square {
  static constexpr int taps = K, stride = Stride;
  static constexpr int columns = Stride == 1 ? 2 : 1;      // of outputs
  static constexpr int quads = (K + columns - 1 + 3) / 4;  // of columns of the input, per row
  static constexpr int vectors = columns * K * quads * 4;  // of taps
  static constexpr int steps(int outputs) { return (outputs - 1) * Stride + K; }
};

// Groups of all kinds have code of their own for the windows that are met most.
template <bool IsMasked, bool IsSigned>
struct Kind {
  static constexpr bool masked = IsMasked, is_signed = IsSigned;
};

template <typename Form, typename Kind, int R, int X>
__attribute__((noinline)) void byte_block(const Plane& plane, const Group& group, const Taps* taps, int64_t y,
                                          int64_t x) {
  constexpr int K = Form::taps;
  const Place place(plane, y, x);
  const uint32_t rows = bits_of(place.rows, Form::steps(R)), columns = bits_of(place.columns, Form::steps(X));
  Vec sum[R * X][4];
  CORTEX_UNROLL
  for (int i = 0; i < R * X; ++i) {
    CORTEX_UNROLL
    for (int v = 0; v < 4; ++v) sum[i][v] = group.start[v];
  }
  const char* input = reinterpret_cast<const char*>(
      plane.input + static_cast<uintptr_t>(y * plane.h.stride * plane.in_row +
                                           x * plane.w.stride * plane.in_column + group.first));
  unroll<Form::steps(R)>([&](auto row) CORTEX_LAMBDA {
    const uint32_t here = rows >> row & 1 ? columns : 0;
    if (here != 0 || group.adds_outside) {
      unroll<Form::quads>([&](auto q) CORTEX_LAMBDA {
        const auto column = [&](auto i) CORTEX_LAMBDA {
          // What meets no tap is any column.
          constexpr int at = 4 * q + i < Form::steps(X) ? 4 * q + i : Form::steps(X) - 1;
          if (!(here >> at & 1)) return group.outside;
          return group.load_column<Kind::masked, Kind::is_signed>(input + at * plane.in_column);
        };
        Vec a[4];
        interleave(column(Index<0>{}), column(Index<1>{}), column(Index<2>{}), column(Index<3>{}), a);
        CORTEX_UNROLL
        for (int v = 0; v < 4; ++v) {
          const Columns four(a[v]);
          CORTEX_UNROLL
          for (int i = 0; i < R; ++i) {
            const int tap_row = row - i * Form::stride;
            if (tap_row < 0 || tap_row >= K) continue;
            CORTEX_UNROLL
            for (int j = 0; j < X; ++j)
              add_product(sum[i * X + j][v], four, taps[((j * K + tap_row) * Form::quads + q) * 4 + v]);
          }
        }
      });
    }
    input += plane.in_row;
  });
  Vec memory[R * X * 4];
  CORTEX_UNROLL
  for (int i = 0; i < R * X; ++i) {
    CORTEX_UNROLL
    for (int v = 0; v < 4; ++v) memory[4 * i + v] = sum[i][v];
  }
  finish(ByteSums{plane, group, y, x, R, X, memory});
}

// Any window, output by output.
__attribute__((noinline)) void byte_window(const Plane& plane, const Group& group, int64_t y, int64_t x) {
  const Place place(plane, y, x);
  Vec sum[4];
  CORTEX_UNROLL
  for (int v = 0; v < 4; ++v) sum[v] = group.start[v];
  const uintptr_t corner =
      plane.input + static_cast<uintptr_t>(y * plane.h.stride * plane.in_row +
                                           x * plane.w.stride * plane.in_column + group.first);
#pragma GCC unroll 1
  for (int64_t d = 0; d < plane.depth; ++d) {
#pragma GCC unroll 1
    for (int64_t i = 0; i < plane.h.taps; ++i) {
      const bool exists = i >= place.rows.begin && i < place.rows.end;
      if (!exists && !group.adds_outside) continue;
      const char* weights = plane.weights + d * plane.w_depth + i * plane.args.w_stride_h + group.first;
      const char* input = reinterpret_cast<const char*>(
          corner + static_cast<uintptr_t>(d * plane.in_depth + i * plane.in_row));
#pragma GCC unroll 1
      for (int64_t t = 0; t < plane.w.taps; t += 4) {
        const auto column = [&](int64_t at) CORTEX_LAMBDA {
          if (!exists || at >= plane.w.taps || at < place.columns.begin || at >= place.columns.end)
            return group.outside;
          return group.load_column<true, true>(input + at * plane.in_column);
        };
        Vec a[4], w[4];
        interleave(column(t), column(t + 1), column(t + 2), column(t + 3), a);
        group.load_taps(weights, plane.args.w_stride_w, t, plane.w.taps, w);
        CORTEX_UNROLL
        for (int v = 0; v < 4; ++v) Product::accumulate(sum[v], a[v], w[v]);
      }
    }
  }
  finish(ByteSums{plane, group, y, x, 1, 1, sum});
}

}  // namespace
}  // namespace cortex
