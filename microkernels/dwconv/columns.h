// Windows of 3x3 of f32 by their columns: rows of outputs, a few at a time, block by block along them. What
// blocks share is worked out once for the row. None asks ahead: 192 channels of 112x112 take 1130
// microseconds on an EPYC (Zen 3), and 1780 if blocks ask.
#pragma once

#include <stdint.h>

#include "microkernels/dwconv/block.h"

namespace cortex {
namespace {

// 16 registers: 8 sums, the 6 taps of a window's column and a vector of the input.
constexpr int column_rows = 4, column_vectors = 2;

// Fewer rows of outputs leave too few sums in flight.
constexpr int64_t least_column_rows = 3;

struct RowWalk {
  const Plane& plane;
  Place place;
  Element::Outputs outputs;
  uintptr_t input;

  CORTEX_INLINE RowWalk(const Plane& of, const Place& first)
      : plane(of),
        place(first),
        outputs(of, first),
        input(of.input + static_cast<uintptr_t>(first.y * of.h.stride * of.in_row)) {}

  CORTEX_INLINE void move(int64_t columns) {
    place.move(plane, columns);
    outputs.move(plane, columns);
    input += static_cast<uintptr_t>(columns * plane.w.stride * plane.in_column);
  }
};

template <typename Window, int R>
__attribute__((noinline)) void block_of_row(const RowWalk& walk, const Window& shared) {
  const Window window = shared;  // by value, see Strides
  all_channels<Window, R, 1>(walk.plane, walk.place, window, walk.outputs, walk.input, false);
}

// Sums that nothing but bias and ReLU happens to. What other blocks could need is not asked about: AMD EPYC
// (Zen 3), AVX2, f32, microseconds by blocks of the other kind and by these: 144 channels of 56x56 134 and
// 111, 32 of 112x112 146 and 95, 96 with stride 2 138 and 104.
struct PlainBlocks {
  const char* input;
  const char* weights;
  char* output;
  const char* bias;  // null: none
  bool relu;
  int64_t count, in_step, out_step;  // of blocks; bytes from one to the next
  int64_t out_row, channels;
};

CORTEX_INLINE bool is_plain(const RowWalk& walk) {
  const cortex_dwconv_args& args = walk.plane.args;
  if (walk.plane.depth != 1) return false;
  if (args.flags & CORTEX_TILE_ACCUMULATE) return false;
  if (!(args.flags & CORTEX_TILE_EPILOGUE)) return true;
  const cortex_epilogue& e = args.epilogue;
  if (e.residual) return false;
  return e.activation == CORTEX_ACTIVATION_NONE ||
         (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f);
}

// Inside: all of the windows are.
template <typename Window, int R, int V, bool Masked, bool Inside>
CORTEX_INLINE void plain_group(const Window& window, const PlainBlocks& all, const char* input, char* output,
                               int64_t c, int64_t channels) {
  RegisterTile<R, V, Masked, 1> tile;
  tile.mask = first_lanes(Masked ? channels : lanes);
  tile.each([](Vec, int, int) CORTEX_LAMBDA { return zero(); });
  const int64_t bytes = c * Element::size;
  if constexpr (Inside) {
    window.template add_inside<Masked>(tile.v, input + bytes, all.weights + bytes, tile.mask);
  } else {
    window.template add_to<Masked>(tile.v, input + bytes, all.weights + bytes, tile.mask);
  }
  if (all.bias) {
    Vec bias[V];
    unroll<V>([&](auto v) CORTEX_LAMBDA { bias[v] = tile.load_vec(all.bias + c * 4, v); });
    tile.each([&](Vec x, int, int v) CORTEX_LAMBDA { return add(x, bias[v]); });
  }
  if (all.relu) tile.each([](Vec x, int, int) CORTEX_LAMBDA { return max(zero(), x); });
  char* to = output + c * 4;
  CORTEX_UNROLL
  for (int i = 0; i < R; ++i, to += all.out_row) {
    CORTEX_UNROLL
    for (int v = 0; v < V; ++v) tile.store_vec(to, v, tile.v[i][v]);
  }
}

template <typename Window, int R, bool Inside>
__attribute__((noinline)) void plain_blocks(const PlainBlocks& blocks, const Window& shared) {
  const Window window = shared;
  const PlainBlocks all = blocks;  // both by value, see Strides
  constexpr int V = Window::vectors;
  const char* input = all.input;
  char* output = all.output;
#pragma GCC unroll 1
  for (int64_t left = all.count; left > 0; --left, input += all.in_step, output += all.out_step) {
    int64_t c = 0;
#pragma GCC unroll 1
    for (; c + V * lanes <= all.channels; c += V * lanes)
      plain_group<Window, R, V, false, Inside>(window, all, input, output, c, V * lanes);
    if constexpr (V > 1) {
      if (c + lanes <= all.channels) {
        plain_group<Window, R, 1, false, Inside>(window, all, input, output, c, lanes);
        c += lanes;
      }
    }
    if (c < all.channels)
      plain_group<Window, R, 1, true, Inside>(window, all, input, output, c, all.channels - c);
  }
}

// From where the walk stands, so many blocks whose windows have the same columns.
template <typename Window, int R>
CORTEX_INLINE void plain_run(const RowWalk& walk, const Window& window, int64_t count, bool inside) {
  const Plane& plane = walk.plane;
  const cortex_epilogue& e = plane.args.epilogue;
  const bool finishes = plane.args.flags & CORTEX_TILE_EPILOGUE;
  const PlainBlocks blocks = {reinterpret_cast<const char*>(walk.input),
                              plane.weights,
                              walk.outputs.address(),
                              finishes ? reinterpret_cast<const char*>(e.bias_n) : nullptr,
                              finishes && e.activation == CORTEX_ACTIVATION_RELU,
                              count,
                              plane.w.stride * plane.in_column,
                              plane.out_column,
                              plane.out_row,
                              plane.args.channels};
  inside ? plain_blocks<Window, R, true>(blocks, window) : plain_blocks<Window, R, false>(blocks, window);
}

// R whole rows.
template <typename Window, int R>
__attribute__((noinline)) void columns(const Plane& plane, const Place& first) {
  Window window(plane, first);
  RowWalk walk(plane, first);
  const bool plain = is_plain(walk);
  for (int64_t x = 0, count; x < plane.w.outputs; x += count) {
    count = 1;
    if (!plain) {
      block_of_row<Window, R>(walk, window);
    } else {
      const bool whole = window.has_all_columns();
      if (whole) {
        count = (walk.place.columns.end - Window::taps) / plane.w.stride + 1;
        if (count > plane.w.outputs - x) count = plane.w.outputs - x;
      }
      plain_run<Window, R>(walk, window, count, whole && window.has_all_rows());
    }
    walk.move(count);
    window.move_to(walk.place);
  }
}

using Columns = void (*)(const Plane&, const Place&);

template <int Stride>
struct ColumnTable {
  Columns rows[column_rows];  // [rows - 1]
};

template <int Stride>
constexpr ColumnTable<Stride> make_columns() {
  ColumnTable<Stride> table{};
  unroll<column_rows>([&](auto r) {
    table.rows[r] = columns<WindowColumns<r.value + 1, 3, Stride, column_vectors>, r.value + 1>;
  });
  return table;
}

template <int Stride>
CORTEX_INLINE void dense_columns(const Phases& all) {
  static constexpr ColumnTable<Stride> table = make_columns<Stride>();
  for (int64_t i = 0; i < all.high && i < all.p.rows; ++i) {
    const int64_t outputs = all.h(i).outputs;
    Parts rows(outputs, column_rows);
    for (int64_t y = 0, high; y < outputs; y += high) {
      high = rows.next();
      for (int64_t j = 0; j < all.wide && j < all.p.outputs; ++j) {
        const Plane plane = all.plane(i, j);
        table.rows[high - 1](plane, Place(plane, y, 0));
      }
    }
  }
}

}  // namespace
}  // namespace cortex
