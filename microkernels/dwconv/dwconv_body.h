// The body of every f32 depthwise kernel. An ISA file includes its vector vocabulary and says how many
// outputs a block has, then includes this.
//
// Channels run along vectors, outputs go by blocks: each input column is loaded once per block and window
// row, and meets every tap that needs it from a register. Blocks at the ends of a row skip the columns that
// are outside.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/dwconv/window.h"
#include "microkernels/vector/rows.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// The vectors of one channel group of `Count` columns of the input, or taps of the weights.
template <int Count, bool Masked>
struct Columns {
  RowPointers<Count> at;
  Mask mask;
  template <int I>
  CORTEX_INLINE Vec get() const {
    Vec v = Masked ? at.template load_row<I>(mask) : at.template load_row<I>();
    keep(v);
    return v;
  }
};

// A dense window row of KW taps, X outputs: sum[x] += column[x*Stride + t] * tap[t].
template <int X, int KW, int Stride, bool Edge, bool Masked>
struct DenseRow {
  static constexpr int columns = (X - 1) * Stride + KW;
  Columns<columns, Masked> in;
  Columns<KW, Masked> weights;
  Range inside;  // columns of the input that exist, if not all do

  CORTEX_INLINE DenseRow(const cortex_dwconv_args& p, const char* input, const char* weight, Range r,
                         Mask mask)
      : in{{input, p.in_stride_w}, mask}, weights{{weight, p.w_stride_w}, mask}, inside(r) {}

  CORTEX_INLINE void advance(int64_t input_bytes, int64_t weight_bytes) {
    in.at.advance(input_bytes);
    weights.at.advance(weight_bytes);
  }

  CORTEX_INLINE void add_to(Vec (&sum)[X][1]) const {
    Vec tap[KW];
    unroll<KW>([&](auto t) CORTEX_LAMBDA { tap[t] = weights.template get<t.value>(); });
    unroll<columns>([&](auto column) CORTEX_LAMBDA {
      if (Edge && (column < inside.begin || column >= inside.end)) return;
      const Vec value = in.template get<column.value>();
      CORTEX_UNROLL
      for (int t = 0; t < KW; ++t) {
        const int past = column - t;  // the output that meets this column at tap t, times the stride
        if (past >= 0 && past % Stride == 0 && past / Stride < X)
          accumulate(sum[past / Stride][0], value, tap[t]);
      }
    });
  }
};

// Any window row: the taps of `inside` for each of X outputs.
template <int X, bool Masked>
struct AnyRow {
  const char *input, *weight;
  int64_t in_step, w_step, x_step;
  Range inside;
  Mask mask;

  CORTEX_INLINE AnyRow(const cortex_dwconv_args& p, const char* in, const char* w, Range r, Mask m)
      : input(in),
        weight(w),
        in_step(p.dilation_w * p.in_stride_w),
        w_step(p.w_stride_w),
        x_step(p.stride_w * p.in_stride_w),
        inside(r),
        mask(m) {}

  CORTEX_INLINE void advance(int64_t input_bytes, int64_t weight_bytes) {
    input += input_bytes;
    weight += weight_bytes;
  }

  CORTEX_INLINE static Vec get(const char* from, Mask mask) {
    const float* p = reinterpret_cast<const float*>(from);
    return Masked ? load(mask, p) : load(p);
  }

  CORTEX_INLINE void add_to(Vec (&sum)[X][1]) const {
    const char* column = input + inside.begin * in_step;
    const char* w = weight + inside.begin * w_step;
#pragma GCC unroll 1
    for (int64_t t = inside.begin; t < inside.end; ++t, column += in_step, w += w_step) {
      const Vec tap = get(w, mask);
      const char* from = column;
      CORTEX_UNROLL
      for (int x = 0; x < X; ++x, from += x_step) accumulate(sum[x][0], get(from, mask), tap);
    }
  }
};

// X outputs of one group of at most `lanes` channels.
template <typename Row, int X, bool Masked>
CORTEX_INLINE void block_group(const cortex_dwconv_args& p, const Window& window, Range inside, int64_t x,
                               int64_t c, int64_t channels) {
  RegisterTile<X, 1, Masked> tile;
  tile.mask = first_lanes(channels);
  tile.each([](Vec, int, int) CORTEX_LAMBDA { return zero(); });
  uintptr_t input = window.input + static_cast<uintptr_t>(x * p.stride_w * p.in_stride_w + c * 4);
  const char* weights = window.weights + c * 4;
#pragma GCC unroll 1
  for (int64_t d = 0; d < window.depth; ++d) {
    Row row(p, reinterpret_cast<const char*>(input), weights, inside, tile.mask);
#pragma GCC unroll 1
    for (int64_t h = window.height; h > 0; --h) {
      row.add_to(tile.v);
      row.advance(window.in_step_h, window.w_step_h);
    }
    input += static_cast<uintptr_t>(window.in_step_d);
    weights += window.w_step_d;
  }
  const cortex_epilogue& e = p.epilogue;
  tile.to_memory(p.flags, e,
                 {static_cast<char*>(p.output) + x * p.out_stride + c * 4, p.out_stride, channels,
                  e.bias_n ? e.bias_n + c : nullptr, e.bias_m ? e.bias_m + x : nullptr,
                  e.residual ? reinterpret_cast<const char*>(e.residual + c) + x * e.ld_residual : nullptr});
}

template <int X, int KW, int Stride, bool Edge>
__attribute__((noinline)) void block(const cortex_dwconv_args& p, const Window& window, Range inside,
                                     int64_t x) {
  int64_t c = 0;
  const auto group = [&](auto masked, int64_t channels) CORTEX_LAMBDA {
    constexpr bool m = masked.value != 0;
    if constexpr (KW > 0) {
      block_group<DenseRow<X, KW, Stride, Edge, m>, X, m>(p, window, inside, x, c, channels);
    } else {
      block_group<AnyRow<X, m>, X, m>(p, window, inside, x, c, channels);
    }
  };
  if constexpr (!masks_are_free) {
    for (; c + lanes <= p.channels; c += lanes) group(Index<0>{}, lanes);
  }
  for (; c < p.channels; c += lanes) group(Index<1>{}, p.channels - c < lanes ? p.channels - c : lanes);
}

// The largest block, of X outputs or a power of two below, that `left` outputs fill. Returns its size.
template <int X, int KW, int Stride>
CORTEX_INLINE int64_t next_block(const cortex_dwconv_args& p, const Window& window, int64_t x, int64_t left) {
  if constexpr (X > 1) {
    if (left < X) return next_block<X / 2, KW, Stride>(p, window, x, left);
  }
  if constexpr (KW > 0) {
    if (x >= window.interior.begin && x + X <= window.interior.end) {
      block<X, KW, Stride, false>(p, window, {0, 0}, x);
    } else {
      const int64_t first = p.w0 + x * Stride;
      block<X, KW, Stride, true>(p, window, {-first, p.in_w - first}, x);
    }
  } else {
    block<X, 0, 0, false>(p, window, {0, p.kw}, x);
  }
  return X;
}

template <int KW, int Stride>
CORTEX_INLINE void row_of_outputs(const cortex_dwconv_args& p) {
  const Window window = clip_window(p);
  for (int64_t x = 0; x < p.outputs;) {
    if constexpr (KW > 0) {
      x += next_block<outputs_at_once, KW, Stride>(p, window, x, p.outputs - x);
    } else if (x >= window.interior.begin && x < window.interior.end) {
      x += next_block<4, 0, 0>(p, window, x, window.interior.end - x);
    } else {
      block<1, 0, 0, false>(p, window, clip(p.w0 + x * p.stride_w, p.dilation_w, p.kw, p.in_w), x);
      ++x;
    }
  }
}

CORTEX_INLINE void dwconv(const cortex_dwconv_args* args) {
  const cortex_dwconv_args& p = *args;
  const bool dense = p.dilation_w == 1;
  if (dense && p.kw == 3 && p.stride_w == 1) return row_of_outputs<3, 1>(p);
  if (dense && p.kw == 3 && p.stride_w == 2) return row_of_outputs<3, 2>(p);
  if (dense && p.kw == 5 && p.stride_w == 1) return row_of_outputs<5, 1>(p);
  if (dense && p.kw == 5 && p.stride_w == 2) return row_of_outputs<5, 2>(p);
  row_of_outputs<0, 0>(p);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_DWCONV(mr, nr, isa)                                                           \
  extern "C" void cortex_dwconv_f32_f32_f32_##mr##x##nr##x1_##isa(const cortex_dwconv_args* args) { \
    cortex::dwconv(args);                                                                           \
  }
