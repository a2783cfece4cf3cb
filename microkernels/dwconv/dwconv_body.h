// The body of every f32 depthwise kernel: see cortex_dwconv_args for the contract. Channels run along
// vectors; the window is clipped to the input instead of reading padding.
#pragma once

#include <math.h>
#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/brgemm/finish.h"

namespace cortex {
namespace {

// The taps t of 0..count for which 0 <= first + t*step < extent.
struct TapRange { int64_t begin, end; };
inline TapRange clip_taps(int64_t first, int64_t step, int64_t count, int64_t extent) {
  int64_t begin = first < 0 ? (-first + step - 1) / step : 0;
  int64_t end = first < extent ? (extent - first + step - 1) / step : 0;
  if (end > count) end = count;
  if (begin > end) begin = end;
  return {begin, end};
}

inline void dwconv(const cortex_dwconv_args* args) {
  const cortex_dwconv_args& p = *args;
  const cortex_epilogue& e = p.epilogue;
  const bool finish = p.flags & CORTEX_TILE_EPILOGUE;
  const TapRange d_taps = clip_taps(p.d0, p.dilation_d, p.kd, p.in_d);
  const TapRange h_taps = clip_taps(p.h0, p.dilation_h, p.kh, p.in_h);
  for (int64_t x = 0; x < p.outputs; ++x) {
    const int64_t w0 = p.w0 + x * p.stride_w;
    const TapRange w_taps = clip_taps(w0, p.dilation_w, p.kw, p.in_w);
    char* out = static_cast<char*>(p.output) + x * p.out_stride;
    for (int64_t c = 0; c < p.channels; c += lanes) {
      const int64_t n = p.channels - c < lanes ? p.channels - c : lanes;
      const Mask mask = first_lanes(n);
      Vec acc = zero();
      for (int64_t d = d_taps.begin; d < d_taps.end; ++d) {
        for (int64_t h = h_taps.begin; h < h_taps.end; ++h) {
          for (int64_t w = w_taps.begin; w < w_taps.end; ++w) {
            const char* in = static_cast<const char*>(p.input) + (p.d0 + d * p.dilation_d) * p.in_stride_d +
                             (p.h0 + h * p.dilation_h) * p.in_stride_h + (w0 + w * p.dilation_w) * p.in_stride_w;
            const char* weight = static_cast<const char*>(p.weights) + d * p.w_stride_d + h * p.w_stride_h +
                                 w * p.w_stride_w;
            acc = fma(load(mask, reinterpret_cast<const float*>(in) + c),
                      load(mask, reinterpret_cast<const float*>(weight) + c), acc);
          }
        }
      }
      float* to = reinterpret_cast<float*>(out) + c;
      if (p.flags & CORTEX_TILE_ACCUMULATE) acc = add(acc, load(mask, to));
      if (finish) {
        if (e.bias_n) acc = add(acc, load(mask, e.bias_n + c));
        if (e.bias_m) acc = add(acc, splat(e.bias_m[x]));
        const float* residual = nullptr;
        if (e.residual) {
          const char* row = reinterpret_cast<const char*>(e.residual) + x * e.ld_residual;
          residual = reinterpret_cast<const float*>(row) + c;
        }
        if (residual && !e.residual_after_activation) {
          acc = fma(load(mask, residual), splat(e.residual_scale), acc);
        }
        if (e.activation == CORTEX_ACTIVATION_RELU) acc = leaky_relu(acc, splat(e.alpha));
        if (e.activation == CORTEX_ACTIVATION_CLIP) acc = min(splat(e.beta), max(splat(e.alpha), acc));
        if (e.activation >= CORTEX_ACTIVATION_SIGMOID) {
          float lane[lanes];
          store(lane, acc);
          for (int i = 0; i < lanes; ++i) lane[i] = activate_scalar(e, lane[i]);
          acc = load(lane);
        }
        if (residual && e.residual_after_activation) {
          acc = fma(load(mask, residual), splat(e.residual_scale), acc);
        }
      }
      store(mask, to, acc);
    }
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_DWCONV(mr, nr, isa)                                                            \
  extern "C" void cortex_dwconv_f32_f32_f32_##mr##x##nr##x1_##isa(const cortex_dwconv_args* args) {  \
    cortex::dwconv(args);                                                                            \
  }
