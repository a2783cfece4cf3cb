// The body of every f32 depthwise kernel. An ISA file includes its vector vocabulary, then this.
//
// Channels run along vectors. A row of outputs splits into a left edge, an interior whose windows lie
// inside the row, and a right edge. The interior goes by blocks of outputs: each input column is loaded
// once per block and window row, and meets every tap that needs it from a register.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/dwconv/window.h"
#include "microkernels/vector/activation.h"

namespace cortex {
namespace {

// Where a block of outputs reads and writes, for channel 0.
struct BlockAddress {
  const char* input;    // tap (0, 0, 0) of the block's first output
  const char* weights;  // tap (0, 0, 0)
  char* output;
  int64_t x;            // the block's first output, for bias_m and residual
};

__attribute__((noinline)) Vec curved(int32_t activation, Vec x) { return curved_activation(activation, x); }

CORTEX_INLINE Vec finish(const cortex_epilogue& e, Vec v, int64_t x, int64_t c, Mask mask) {
  if (e.bias_n) v = add(v, load(mask, e.bias_n + c));
  if (e.bias_m) v = add(v, splat(e.bias_m[x]));
  Vec residual = zero();
  if (e.residual) {
    const char* row = reinterpret_cast<const char*>(e.residual) + x * e.ld_residual;
    residual = mul(load(mask, reinterpret_cast<const float*>(row) + c), splat(e.residual_scale));
  }
  if (e.residual && !e.residual_after_activation) v = add(v, residual);
  if (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f) {
    v = max(zero(), v);
  } else if (e.activation == CORTEX_ACTIVATION_RELU) {
    v = leaky_relu(v, splat(e.alpha));
  } else if (e.activation == CORTEX_ACTIVATION_CLIP) {
    v = min(splat(e.beta), max(splat(e.alpha), v));
  } else if (e.activation != CORTEX_ACTIVATION_NONE) {
    v = curved(e.activation, v);
  }
  if (e.residual && e.residual_after_activation) v = add(v, residual);
  return v;
}

CORTEX_INLINE const float* at(const char* base, int64_t bytes, int64_t c) {
  return reinterpret_cast<const float*>(base + bytes) + c;
}

// One window row for X outputs of one channel vector. KW and Stride are the window's width and stride when
// they are known and columns adjacent; KW = 0 reads both and the dilation from the arguments.
template <int X, int KW, int Stride, bool Masked>
CORTEX_INLINE void add_row(const cortex_dwconv_args& p, TapRange w, const char* in, const char* weight, int64_t c,
                           Mask mask, Vec (&acc)[X]) {
  const auto load_at = [&](const float* from) CORTEX_LAMBDA { return Masked ? load(mask, from) : load(from); };
  if constexpr (KW > 0) {
    Vec tap[KW];
    CORTEX_UNROLL
    for (int t = 0; t < KW; ++t) {
      tap[t] = load_at(at(weight, t * p.w_stride_w, c));
      keep(tap[t]);
    }
    CORTEX_UNROLL
    for (int column = 0; column < (X - 1) * Stride + KW; ++column) {
      Vec value = load_at(at(in, column * p.in_stride_w, c));
      keep(value);
      CORTEX_UNROLL
      for (int t = 0; t < KW; ++t) {
        const int past = column - t;  // output `past / Stride` meets this column at tap t
        if (past >= 0 && past % Stride == 0 && past / Stride < X) accumulate(acc[past / Stride], value, tap[t]);
      }
    }
  } else {
    for (int64_t t = w.begin; t < w.end; ++t) {
      const Vec tap = load_at(at(weight, t * p.w_stride_w, c));
      const char* column = in + t * p.dilation_w * p.in_stride_w;
      CORTEX_UNROLL
      for (int x = 0; x < X; ++x) {
        accumulate(acc[x], load_at(at(column, x * p.stride_w * p.in_stride_w, c)), tap);
      }
    }
  }
}

// X outputs of one channel vector, from zero to stored.
template <int X, int KW, int Stride, bool Masked>
CORTEX_INLINE void block_vector(const cortex_dwconv_args& p, const Window& window, TapRange w, BlockAddress a,
                                int64_t c, Mask mask) {
  Vec acc[X];
  CORTEX_UNROLL
  for (int x = 0; x < X; ++x) acc[x] = zero();
  for (int64_t d = window.d.begin; d < window.d.end; ++d) {
    const char* in = a.input + d * p.dilation_d * p.in_stride_d + window.h.begin * p.dilation_h * p.in_stride_h;
    const char* weight = a.weights + d * p.w_stride_d + window.h.begin * p.w_stride_h;
#pragma GCC unroll 1
    for (int64_t h = window.h.begin; h < window.h.end; ++h) {
      add_row<X, KW, Stride, Masked>(p, w, in, weight, c, mask, acc);
      in += p.dilation_h * p.in_stride_h;
      weight += p.w_stride_h;
    }
  }
  CORTEX_UNROLL
  for (int x = 0; x < X; ++x) {
    float* to = reinterpret_cast<float*>(a.output + x * p.out_stride) + c;
    if (p.flags & CORTEX_TILE_ACCUMULATE) acc[x] = add(acc[x], Masked ? load(mask, to) : load(to));
    if (p.flags & CORTEX_TILE_EPILOGUE) acc[x] = finish(p.epilogue, acc[x], a.x + x, c, mask);
    if (Masked) {
      store(mask, to, acc[x]);
    } else {
      store(to, acc[x]);
    }
  }
}

// X outputs, all channels. `w`: the taps inside the row, for blocks of the generic kind.
template <int X, int KW, int Stride>
__attribute__((noinline)) void block(const cortex_dwconv_args& p, const Window& window, TapRange w,
                                     BlockAddress a) {
  int64_t c = 0;
  const Mask all = first_lanes(lanes);
  for (; c + lanes <= p.channels; c += lanes) block_vector<X, KW, Stride, false>(p, window, w, a, c, all);
  if (c < p.channels) {
    block_vector<X, KW, Stride, true>(p, window, w, a, c, first_lanes(p.channels - c));
  }
}

// The largest block, of X outputs or a power of two below, that fits what is left. Returns its size.
template <int X, int KW, int Stride>
CORTEX_INLINE int64_t interior_block(const cortex_dwconv_args& p, const Window& window, BlockAddress a, int64_t left) {
  if constexpr (X > 1) {
    if (left < X) return interior_block<X / 2, KW, Stride>(p, window, a, left);
  }
  block<X, KW, Stride>(p, window, {0, p.kw}, a);
  return X;
}

template <int KW, int Stride>
CORTEX_INLINE void run(const cortex_dwconv_args& p) {
  const Window window = clip_window(p);
  // As integers: the window's corner may lie outside the input.
  const uintptr_t corner = reinterpret_cast<uintptr_t>(p.input) +
                           static_cast<uintptr_t>(p.d0 * p.in_stride_d + p.h0 * p.in_stride_h + p.w0 * p.in_stride_w);
  const auto address = [&](int64_t x) {
    return BlockAddress{reinterpret_cast<const char*>(corner + static_cast<uintptr_t>(x * p.stride_w * p.in_stride_w)),
                        static_cast<const char*>(p.weights), static_cast<char*>(p.output) + x * p.out_stride, x};
  };
  for (int64_t x = 0; x < p.outputs;) {
    if (x >= window.interior.begin && x < window.interior.end) {
      x += interior_block<outputs_at_once, KW, Stride>(p, window, address(x), window.interior.end - x);
    } else {
      const TapRange w = clip_taps(p.w0 + x * p.stride_w, p.dilation_w, p.kw, p.in_w);
      block<1, 0, 0>(p, window, w, address(x));
      ++x;
    }
  }
}

CORTEX_INLINE void dwconv(const cortex_dwconv_args* args) {
  const cortex_dwconv_args& p = *args;
  if (p.dilation_w == 1 && p.kw == 3 && p.stride_w == 1) return run<3, 1>(p);
  if (p.dilation_w == 1 && p.kw == 3 && p.stride_w == 2) return run<3, 2>(p);
  if (p.dilation_w == 1 && p.kw == 5 && p.stride_w == 1) return run<5, 1>(p);
  if (p.dilation_w == 1 && p.kw == 5 && p.stride_w == 2) return run<5, 2>(p);
  run<0, 0>(p);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_DWCONV(mr, nr, isa)                                                            \
  extern "C" void cortex_dwconv_f32_f32_f32_##mr##x##nr##x1_##isa(const cortex_dwconv_args* args) {  \
    cortex::dwconv(args);                                                                            \
  }
