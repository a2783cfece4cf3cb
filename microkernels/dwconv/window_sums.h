// What a window adds to a block's sums, all its taps, for one or more vectors of channels.
//
// Steps outside the input are skipped one by one. Every group of channels skips the same, so the branches are
// foreseen, and no block has to be cut at the edges.
//
// element_<type>.h, included before, says what elements are: how they are loaded as f32, and where sums go.
#pragma once

#include <stdint.h>

#include "microkernels/dwconv/plane.h"
#include "microkernels/vector/rows.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// What windows need of a Plane, by value: stores of outputs could be stores to the Plane for all a compiler
// knows, which would read it again for every group of channels. EPYC (Zen 3), AVX2, images of 7x7 and 14x14:
// 5 to 8 % less time.
struct Strides {
  int64_t in_row, in_column, w_row, w_column, taps_h, taps_w, apart_h, apart_w;

  CORTEX_INLINE explicit Strides(const Plane& plane)
      : in_row(plane.in_row),
        in_column(plane.in_column),
        w_row(plane.args.w_stride_h),
        w_column(plane.args.w_stride_w),
        taps_h(plane.h.taps),
        taps_w(plane.w.taps),
        apart_h(plane.h.stride),
        apart_w(plane.w.stride) {}
};

template <bool Masked>
CORTEX_INLINE Vec load_from(const char* from, Mask mask) {
  Vec v = Masked ? Element::load(mask, from) : Element::load(from);
  keep(v);
  return v;
}

template <int I, bool Masked, typename Pointers>
CORTEX_INLINE Vec load_column(const Pointers& at, Mask mask) {
  Vec v = Masked ? Element::load_row<I>(at, mask) : Element::load_row<I>(at);
  keep(v);
  return v;
}

// A window of K x K taps with the same stride both ways: all taps in registers, every step loaded once.
template <int R, int X, int K, int Stride>
struct WholeWindow {
  static constexpr int vectors = 1;  // of channels at a time
  static constexpr int steps(int outputs) { return (outputs - 1) * Stride + K; }
  Strides by;
  uint32_t rows, columns;

  CORTEX_INLINE WholeWindow(const Plane& plane, const Place& place)
      : by(plane), rows(bits_of(place.rows, steps(R))), columns(bits_of(place.columns, steps(X))) {}

  template <bool Masked>
  CORTEX_INLINE void add_to(Vec (&sum)[R * X][1], const char* input, const char* weights, Mask mask) const {
    Vec tap[K * K];
    unroll<K * K>([&](auto t) CORTEX_LAMBDA {
      tap[t] = load_from<Masked>(weights + t / K * by.w_row + t % K * by.w_column, mask);
    });
    RowPointers<steps(X)> at(input, by.in_column);
    unroll<steps(R)>([&](auto row) CORTEX_LAMBDA {
      if (rows >> row & 1) {
        unroll<steps(X)>([&](auto column) CORTEX_LAMBDA {
          if (!(columns >> column & 1)) return;
          const Vec value = load_column<column.value, Masked>(at, mask);
          CORTEX_UNROLL
          for (int y = 0; y < R; ++y) {
            CORTEX_UNROLL
            for (int x = 0; x < X; ++x) {
              const int i = row - y * Stride, j = column - x * Stride;  // the tap they meet at
              if (i >= 0 && i < K && j >= 0 && j < K) accumulate(sum[y * X + x][0], value, tap[i * K + j]);
            }
          }
        });
      }
      at.advance(by.in_row);
    });
  }
};

// Window rows of K taps, one after the other. The columns of a row are visited K apart where possible: those
// in between add to the same sums and would wait for them.
constexpr int visit(int i, int count, int apart) {
  for (int first = 0; first < apart; ++first) {
    const int visits = (count - first + apart - 1) / apart;
    if (i < visits) return first + i * apart;
    i -= visits;
  }
  return 0;
}

template <int R, int X, int K, int Stride>
struct WindowRows {
  static constexpr int vectors = 1;
  static constexpr int steps = (X - 1) * Stride + K;
  Strides by;
  Range rows;
  uint32_t columns;

  CORTEX_INLINE WindowRows(const Plane& plane, const Place& place)
      : by(plane), rows(place.rows), columns(bits_of(place.columns, steps)) {}

  template <bool Masked>
  CORTEX_INLINE void add_to(Vec (&sum)[R * X][1], const char* input, const char* weights, Mask mask) const {
    const auto count = static_cast<uint64_t>(rows.size());
    int64_t step = -rows.begin;
#pragma GCC unroll 1
    for (int64_t left = by.taps_h; left > 0; --left, ++step) {
      Vec tap[K];
      unroll<K>([&](auto t) CORTEX_LAMBDA { tap[t] = load_from<Masked>(weights + t * by.w_column, mask); });
      RowPointers<steps> at(input, by.in_column);
      unroll<R>([&](auto y) CORTEX_LAMBDA {
        if (static_cast<uint64_t>(step + y * by.apart_h) < count) {
          unroll<steps>([&](auto i) CORTEX_LAMBDA {
            constexpr int column = visit(i.value, steps, K);
            if (!(columns >> column & 1)) return;
            const Vec value = load_column<column, Masked>(at, mask);
            CORTEX_UNROLL
            for (int x = 0; x < X; ++x) {
              const int j = column - x * Stride;
              if (j >= 0 && j < K) accumulate(sum[y * X + x][0], value, tap[j]);
            }
          });
        }
        at.advance(by.apart_h * by.in_row);
      });
      input += by.in_row;
      weights += by.w_row;
    }
  }
};

// Window columns of K taps, one after the other, for outputs below one another: every load is of memory that
// goes on where the last one ended, along whole rows of the input, which prefetchers follow; and an input
// meets all taps of its column at once. A square window, the same stride both ways.
//
// AMD EPYC (Zen 3), AVX2, f32, 3x3, microseconds by rows of 2x6 outputs and by columns of 4x1, two vectors at
// a time: 144 channels of 56x56 164 and 113, 192 of 28x28 70 and 38, 384 of 14x14 33 and 22.
template <int R, int K, int Stride, int Vectors>
struct WindowColumns {
  static constexpr int vectors = Vectors, taps = K;
  static constexpr int steps = (R - 1) * Stride + K;
  Strides by;
  uint32_t rows, columns;

  CORTEX_INLINE WindowColumns(const Plane& plane, const Place& place)
      : by(plane), rows(bits_of(place.rows, steps)), columns(bits_of(place.columns, K)) {}

  CORTEX_INLINE bool has_all_rows() const { return rows == (1u << steps) - 1; }
  CORTEX_INLINE bool has_all_columns() const { return columns == (1u << K) - 1; }
  CORTEX_INLINE void move_to(const Place& place) { columns = bits_of(place.columns, K); }

  // A column of the window. Inside: every row of it exists.
  template <bool Masked, bool Inside, int V>
  CORTEX_INLINE void add_column(Vec (&sum)[R][V], const char* input, const char* weights, Mask mask) const {
    constexpr int64_t apart = lanes * Element::size;
    Vec tap[K][V];
    unroll<K>([&](auto i) CORTEX_LAMBDA {
      unroll<V>([&](auto v) CORTEX_LAMBDA { tap[i][v] = load_from<Masked>(weights + v * apart, mask); });
      weights += by.w_row;
    });
    unroll<steps>([&](auto row) CORTEX_LAMBDA {
      if (Inside || (rows >> row & 1)) {
        unroll<V>([&](auto v) CORTEX_LAMBDA {
          const Vec value = load_from<Masked>(input + v * apart, mask);
          CORTEX_UNROLL
          for (int y = 0; y < R; ++y) {
            const int i = row - y * Stride;
            if (i >= 0 && i < K) accumulate(sum[y][v], value, tap[i][v]);
          }
        });
      }
      input += by.in_row;
    });
  }

  template <bool Masked, int V>
  CORTEX_INLINE void add_inside(Vec (&sum)[R][V], const char* input, const char* weights, Mask mask) const {
    unroll<K>([&](auto) CORTEX_LAMBDA {
      add_column<Masked, true>(sum, input, weights, mask);
      input += by.in_column;
      weights += by.w_column;
    });
  }

  template <bool Masked, int V>
  CORTEX_INLINE void add_to(Vec (&sum)[R][V], const char* input, const char* weights, Mask mask) const {
    uint32_t left = columns;
#pragma GCC unroll 1
    for (int j = 0; j < K; ++j, left >>= 1, input += by.in_column, weights += by.w_column) {
      if (left & 1) add_column<Masked, false>(sum, input, weights, mask);
    }
  }
};

// Any window, tap by tap. The block's columns see the same range of taps.
template <int R, int X>
struct AnyWindow {
  static constexpr int vectors = 1;
  Strides by;
  Range rows, taps;

  CORTEX_INLINE AnyWindow(const Plane& plane, const Place& place)
      : by(plane), rows(place.rows), taps(place.columns) {
    // Blocks of several columns lie inside.
    if (X > 1) {
      taps = {0, plane.w.taps};
      return;
    }
    if (taps.begin < 0) taps.begin = 0;
    if (taps.end > plane.w.taps) taps.end = plane.w.taps;
  }

  template <bool Masked>
  CORTEX_INLINE void add_to(Vec (&sum)[R * X][1], const char* input, const char* weights, Mask mask) const {
    const int64_t row_apart = by.apart_h * by.in_row, apart = by.apart_w * by.in_column;
    const auto count = static_cast<uint64_t>(rows.size());
    int64_t step = -rows.begin;
#pragma GCC unroll 1
    for (int64_t left = by.taps_h; left > 0; --left, ++step) {
      const char* column = input + taps.begin * by.in_column;
      const char* w = weights + taps.begin * by.w_column;
      const int64_t end = R > 1 || static_cast<uint64_t>(step) < count ? taps.end : taps.begin;
#pragma GCC unroll 1
      for (int64_t t = taps.begin; t < end; ++t, column += by.in_column, w += by.w_column) {
        const Vec tap = load_from<Masked>(w, mask);
        const char* from = column;
        unroll<R>([&](auto y) CORTEX_LAMBDA {
          if (R == 1 || static_cast<uint64_t>(step + y * by.apart_h) < count) {
            const char* at = from;
            CORTEX_UNROLL
            for (int x = 0; x < X; ++x, at += apart) {
              accumulate(sum[y * X + x][0], load_from<Masked>(at, mask), tap);
            }
          }
          from += row_apart;
        });
      }
      input += by.in_row;
      weights += by.w_row;
    }
  }
};

}  // namespace
}  // namespace cortex
