// Blocks of outputs: R rows of X columns for any number of channels. The sums stay in registers while all
// taps add to them, and each input vector is loaded once for every tap that needs it.
#pragma once

#include <stdint.h>

#include "microkernels/dwconv/plane.h"
#include "microkernels/dwconv/window_sums.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// The taps in depth of one group of channels.
struct Depth {
  int64_t taps, in, weights;
};

// The block's sums for one group of channels, V vectors from c on.
template <int R, int X, int V, bool Masked, typename Window>
CORTEX_INLINE void channel_group(const Window& window, const Element::Outputs& outputs, const Depth& depth,
                                 uintptr_t input, const char* weights, int64_t c, int64_t channels) {
  RegisterTile<R * X, V, Masked, X> tile;
  tile.mask = first_lanes(Masked ? channels : lanes);
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
// 112x112, 3x3 by rows, microseconds without asking 3600 to 4000, with it 1960.
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
CORTEX_INLINE void all_channels(const Plane& plane, const Place& place, const Window& window,
                                const Element::Outputs& outputs, uintptr_t input, bool asks) {
  const Depth depth = {plane.depth, plane.in_depth, plane.w_depth};
  const char* const weights = plane.weights;
  const int64_t channels = plane.args.channels;
  constexpr int at_once = Window::vectors;
  int64_t c = 0;
  if constexpr (at_once > 1) {
#pragma GCC unroll 1
    for (; c + at_once * lanes <= channels; c += at_once * lanes) {
      if (asks && starts_line(c)) ask_for_next(plane, place.y, place.x, R, X, c);
      channel_group<R, X, at_once, false>(window, outputs, depth, input, weights, c, at_once * lanes);
    }
  }
  if constexpr (!masks_are_free) {
#pragma GCC unroll 1
    for (; c + lanes <= channels; c += lanes) {
      if (asks && starts_line(c)) ask_for_next(plane, place.y, place.x, R, X, c);
      channel_group<R, X, 1, false>(window, outputs, depth, input, weights, c, lanes);
    }
  }
#pragma GCC unroll 1
  for (; c < channels; c += lanes) {
    if (asks && starts_line(c)) ask_for_next(plane, place.y, place.x, R, X, c);
    channel_group<R, X, 1, true>(window, outputs, depth, input, weights, c,
                                 channels - c < lanes ? channels - c : lanes);
  }
}

template <typename Window, int R, int X>
__attribute__((noinline)) void block(const Plane& plane, const Place& place) {
  const uintptr_t input = plane.input + static_cast<uintptr_t>(place.y * plane.h.stride * plane.in_row +
                                                               place.x * plane.w.stride * plane.in_column);
  all_channels<Window, R, X>(plane, place, Window(plane, place), Element::Outputs(plane, place), input,
                             asks_ahead(plane.args));
}

}  // namespace
}  // namespace cortex
