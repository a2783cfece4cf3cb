// Outputs whose windows are dense: where they lie and what they see.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/dwconv/window.h"

namespace cortex {
namespace {

// The outputs of one phase in height and width, whose windows are dense.
struct Plane {
  const cortex_dwconv_args& args;
  Axis h, w;
  int64_t depth;                        // taps in depth that are inside
  uintptr_t input;                      // step (0, 0) of the first of them; may lie outside the tensor
  const char* weights;                  // of the first of them
  int64_t in_depth, in_row, in_column;  // bytes from tap to tap, from step to step
  int64_t w_depth;
  char* output;
  const char* residual;
  int64_t out_row, out_column;  // bytes from output to output
  int64_t residual_row, residual_column;
};

// Where a block lies: its first output, and the steps from there that exist.
struct Place {
  int64_t y, x;
  Range rows, columns;

  CORTEX_INLINE Place(const Plane& plane, int64_t row, int64_t column) : y(row), x(column) {
    const int64_t first_row = y * plane.h.stride, first_column = x * plane.w.stride;
    rows = {plane.h.inside.begin - first_row, plane.h.inside.end - first_row};
    columns = {plane.w.inside.begin - first_column, plane.w.inside.end - first_column};
  }

  // So many columns of outputs to the right.
  CORTEX_INLINE void move(const Plane& plane, int64_t by) {
    x += by;
    columns.begin -= by * plane.w.stride;
    columns.end -= by * plane.w.stride;
  }
};

// Bit i: step i exists. For at most 31 steps.
CORTEX_INLINE uint32_t bits_of(Range inside, int count) {
  const int64_t begin = inside.begin < 0 ? 0 : inside.begin < count ? inside.begin : count;
  const int64_t end = inside.end < 0 ? 0 : inside.end < count ? inside.end : count;
  return ((1u << end) - 1) & ~((1u << begin) - 1);
}

// The phases of one call, see Axis.
struct Phases {
  const cortex_dwconv_args& p;
  Range depth;
  int64_t high, wide;

  CORTEX_INLINE explicit Phases(const cortex_dwconv_args& args)
      : p(args),
        depth(clip(p.d0, p.dilation_d, p.kd, p.in_d)),
        high(phases(p.stride_h, p.dilation_h, p.kh)),
        wide(phases(p.stride_w, p.dilation_w, p.kw)) {}

  CORTEX_INLINE Axis h(int64_t i) const {
    return make_axis(i, high, p.rows, p.h0, p.stride_h, p.dilation_h, p.kh, p.in_h);
  }

  __attribute__((noinline)) Plane plane(int64_t i, int64_t j) const {
    const Axis y = h(i), x = make_axis(j, wide, p.outputs, p.w0, p.stride_w, p.dilation_w, p.kw, p.in_w);
    const int64_t first = (p.d0 + depth.begin * p.dilation_d) * p.in_stride_d + y.first * p.in_stride_h +
                          x.first * p.in_stride_w;
    const int64_t ld_residual = p.epilogue.ld_residual;
    const char* residual = reinterpret_cast<const char*>(p.epilogue.residual);
    return {p,
            y,
            x,
            depth.size(),
            reinterpret_cast<uintptr_t>(p.input) + static_cast<uintptr_t>(first),
            static_cast<const char*>(p.weights) + depth.begin * p.w_stride_d,
            p.dilation_d * p.in_stride_d,
            y.step * p.in_stride_h,
            x.step * p.in_stride_w,
            p.w_stride_d,
            static_cast<char*>(p.output) + i * p.out_stride_h + j * p.out_stride,
            residual ? residual + i * p.residual_stride_h + j * ld_residual : nullptr,
            high * p.out_stride_h,
            wide * p.out_stride,
            high * p.residual_stride_h,
            wide * ld_residual};
  }
};

}  // namespace
}  // namespace cortex
