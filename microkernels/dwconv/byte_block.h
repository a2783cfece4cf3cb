// A block of outputs, bytes: R rows of U units for one group of channels. Rows of the input are interleaved
// into a buffer first, four columns for each unit, so that one multiplication adds four taps of a row; then
// the sums are made, a quarter of the channels at a time, weights and sums staying in registers.
//
// A unit moves on by two columns. With stride 1 it is two outputs, which the same four columns serve: the
// second one's taps are interleaved with a shift.
#pragma once

#include <stdint.h>

#include "microkernels/dwconv/finish_bytes.h"

namespace cortex {
namespace {

// A window of K x K taps with the same stride both ways.
template <int K, int Stride>
struct Square {
  static constexpr int taps = K, stride = Stride;
  static constexpr int outputs = Stride == 1 ? 2 : 1;      // of a unit
  static constexpr int quads = (K + outputs - 1 + 3) / 4;  // of columns of the input, per row and unit
  static constexpr int tap_quads = outputs * K * quads;
  static constexpr int rows(int outputs) { return (outputs - 1) * Stride + K; }
  static constexpr int row_quads(int units) {
    return units + 2 * (quads - 1);
  }  // a unit's quads are two apart
};

// `rows` rows of the input from that of output row y on, `quads` times four columns in each, two columns
// apart, from that of output x on.
template <bool Masked, bool Signed>
__attribute__((noinline)) void interleave_rows(const Plane& plane, const Group& group, int64_t y, int64_t x,
                                               int rows, int quads, Columns* to) {
  const int64_t first_row = y * plane.h.stride, first = x * plane.w.stride;
  const Range inside = plane.w.inside;
  uintptr_t line =
      plane.input + static_cast<uintptr_t>(first_row * plane.in_row + first * plane.in_column + group.first);
#pragma GCC unroll 1
  for (int r = 0; r < rows; ++r, line += static_cast<uintptr_t>(plane.in_row)) {
    const bool exists = first_row + r >= plane.h.inside.begin && first_row + r < plane.h.inside.end;
    const int64_t begin = exists ? inside.begin - first : 0;
    const auto count = static_cast<uint64_t>(exists ? inside.size() : 0);
    const char* at = reinterpret_cast<const char*>(line);
    const auto column = [&](int64_t c, const char* from) CORTEX_LAMBDA {
      if (static_cast<uint64_t>(c - begin) >= count) return group.outside;
      return group.load_column<Masked, Signed>(from);
    };
    const int64_t apart = plane.in_column;
    Pair pair(column(0, at), column(1, at + apart));
#pragma GCC unroll 1
    for (int64_t c = 2; c <= 2 * quads; c += 2, to += 4) {
      at += 2 * apart;
      const Pair next(column(c, at), column(c + 1, at + apart));
      Vec a[4];
      interleave(pair, next, a);
      CORTEX_UNROLL
      for (int v = 0; v < 4; ++v) to[v] = Columns(a[v]);
      pair = next;
    }
  }
}

// Sums of R rows of U units: sums[row][unit][output of it][v].
template <typename Form, int R, int U>
__attribute__((noinline)) void multiply_block(const Taps* taps, const Columns* columns, const Vec* start,
                                              Vec* sums) {
  constexpr int K = Form::taps, Q = Form::quads, X = Form::outputs, row_quads = Form::row_quads(U);
#pragma GCC unroll 1
  for (int v = 0; v < 4; ++v, ++columns, ++sums, taps += Form::tap_quads) {
    Vec sum[R * U * X];
    CORTEX_UNROLL
    for (Vec& x : sum) x = start[v];
    const HeldTaps<Form::tap_quads> held(taps);
    unroll<Form::rows(R)>([&](auto row) CORTEX_LAMBDA {
      unroll<row_quads>([&](auto t) CORTEX_LAMBDA {
        const Columns four = columns[(row * row_quads + t) * 4];
        CORTEX_UNROLL
        for (int i = 0; i < R; ++i) {
          const int tap_row = row - i * Form::stride;
          if (tap_row < 0 || tap_row >= K) continue;
          CORTEX_UNROLL
          for (int q = 0; q < Q; ++q) {
            const int u = t - 2 * q;
            if (u < 0 || u >= U) continue;
            CORTEX_UNROLL
            for (int j = 0; j < X; ++j)
              held.add_product(sum[(i * U + u) * X + j], four, (j * K + tap_row) * Q + q);
          }
        }
      });
    });
    CORTEX_UNROLL
    for (int i = 0; i < R * U * X; ++i) sums[4 * i] = sum[i];
  }
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
  finish({plane, group, y, x, 1, 1, 1, sum});
}

}  // namespace
}  // namespace cortex
