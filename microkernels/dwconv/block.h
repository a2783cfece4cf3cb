// One block of outputs: R rows of X columns for any number of channels. The sums stay in registers while all
// taps add to them, and each input vector is loaded once for every tap that needs it.
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

// Any window, tap by tap. The block's columns see the same range of taps.
template <int R, int X>
struct AnyWindow {
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

// The taps in depth of one group of channels.
struct Depth {
  int64_t taps, in, weights;
};

// The block's sums for one group of channels, from c on.
template <int R, int X, bool Masked, typename Window>
CORTEX_INLINE void channel_group(const Window& window, const Element::Outputs& outputs, const Depth& depth,
                                 uintptr_t input, const char* weights, int64_t c, int64_t channels) {
  RegisterTile<R * X, 1, Masked, X> tile;
  tile.mask = first_lanes(channels);
  tile.each([](Vec, int, int) CORTEX_LAMBDA { return zero(); });
  input += static_cast<uintptr_t>(c * Element::size);
  weights += c * Element::size;
#pragma GCC unroll 1
  for (int64_t d = depth.taps; d > 0; --d) {
    window.template add_to<Masked>(tile.v, reinterpret_cast<const char*>(input), weights, tile.mask);
    input += static_cast<uintptr_t>(depth.in);
    weights += depth.weights;
  }
  outputs.template finish<R, X, Masked>(tile, c, channels);
}

// Blocks walk along rows with all channels of a point before the next: too many streams for prefetchers.
// Where input and output are more than a core's share of L3 holds, each block asks for what the one to its
// right reads anew and writes. AMD EPYC (Zen 4), f32, 3x3 windows on 112x112 points, microseconds without and
// with: 192 channels 1490 and 950; 96 channels, 10 MB, 700 and 320, where others used L3 too (270 and 295
// where nobody did); the same with stride 2, 6 MB, 116 and 130.
constexpr int64_t near_images = 8 << 20;

CORTEX_INLINE bool asks_ahead(const cortex_dwconv_args& args) {
  const int64_t stride = args.stride_h > 0 ? args.stride_h : 1;  // of one row it does not matter
  return args.in_h * (args.in_stride_h + args.out_stride_h / stride) > near_images;
}

constexpr int64_t line_bytes = 64;

// Groups of fewer bytes than a line: one of them asks for all of it. EPYC (Zen 3), AVX2, 256 channels of
// 112x112, microseconds without asking 3600 to 4000, with it 1960.
CORTEX_INLINE bool starts_line(int64_t c) { return c * Element::size % line_bytes == 0; }

// A group of channels' share of the points [from, from + columns) of `rows` rows. Points that are adjacent in
// memory are asked for line after line, which prefetchers follow; else the lines of this group.
template <typename Ask>
CORTEX_INLINE void ask_for_points(uintptr_t from, int64_t rows, int64_t row, int64_t columns, int64_t column,
                                  int64_t channels, int64_t c, Ask ask) {
  const bool adjacent = column == channels * Element::size;
  const int64_t step = adjacent ? line_bytes : column;
  from += static_cast<uintptr_t>(c * Element::size * (adjacent ? columns : 1));
#pragma GCC unroll 1
  for (int64_t i = 0; i < rows; ++i, from += static_cast<uintptr_t>(row)) {
    uintptr_t at = from;
#pragma GCC unroll 1
    for (int64_t j = 0; j < columns; ++j, at += static_cast<uintptr_t>(step))
      ask(reinterpret_cast<const char*>(at));  // nothing is read: it may lie beyond the tensor
  }
}

// To the right of the block of `rows` x `columns` outputs at y, x. One function for blocks of all sizes: it
// is long, and no part of their loops.
__attribute__((noinline)) void ask_for_next(const Plane& plane, int64_t y, int64_t x, int64_t rows,
                                            int64_t columns, int64_t c) {
  const int64_t channels = plane.args.channels;
  const int64_t first_row = y * plane.h.stride + plane.h.taps - plane.h.stride;
  const int64_t first_column = (x + columns) * plane.w.stride + plane.w.taps - plane.w.stride;
  ask_for_points(
      plane.input + static_cast<uintptr_t>(first_row * plane.in_row + first_column * plane.in_column),
      rows * plane.h.stride, plane.in_row, columns * plane.w.stride, plane.in_column, channels, c,
      [](const char* at) CORTEX_LAMBDA { __builtin_prefetch(at, 0, 2); });
  ask_for_points(reinterpret_cast<uintptr_t>(plane.output) +
                     static_cast<uintptr_t>(y * plane.out_row + (x + columns) * plane.out_column),
                 rows, plane.out_row, columns, plane.out_column, channels, c,
                 [](const char* at) CORTEX_LAMBDA { prefetch_to_write(at); });
}

template <typename Window, int R, int X>
__attribute__((noinline)) void block(const Plane& plane, const Place& place) {
  const Window window(plane, place);
  const Element::Outputs outputs(plane, place);
  const Depth depth = {plane.depth, plane.in_depth, plane.w_depth};
  const uintptr_t input = plane.input + static_cast<uintptr_t>(place.y * plane.h.stride * plane.in_row +
                                                               place.x * plane.w.stride * plane.in_column);
  const char* const weights = plane.weights;
  const int64_t channels = plane.args.channels;
  const bool asks = asks_ahead(plane.args);
  int64_t c = 0;
  if constexpr (!masks_are_free) {
#pragma GCC unroll 1
    for (; c + lanes <= channels; c += lanes) {
      if (asks && starts_line(c)) ask_for_next(plane, place.y, place.x, R, X, c);
      channel_group<R, X, false>(window, outputs, depth, input, weights, c, lanes);
    }
  }
#pragma GCC unroll 1
  for (; c < channels; c += lanes) {
    if (asks && starts_line(c)) ask_for_next(plane, place.y, place.x, R, X, c);
    channel_group<R, X, true>(window, outputs, depth, input, weights, c,
                              channels - c < lanes ? channels - c : lanes);
  }
}

}  // namespace
}  // namespace cortex
