// Which taps of a window, and which outputs of a row, stay inside the input.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

struct Range {
  int64_t begin, end;
  CORTEX_INLINE int64_t size() const { return end - begin; }
};

// The t of 0..count-1 for which 0 <= first + t*step < extent.
CORTEX_INLINE Range clip(int64_t first, int64_t step, int64_t count, int64_t extent) {
  int64_t begin = first < 0 ? (-first + step - 1) / step : 0;
  int64_t end = first < extent ? (extent - first + step - 1) / step : 0;
  if (end > count) end = count;
  if (begin > end) begin = end;
  return {begin, end};
}

// The part of the window that is inside in depth and height, the same for a whole row of outputs.
struct Window {
  int64_t depth, height;  // taps
  uintptr_t input;        // their first one, for output 0 and tap column 0; may lie outside the row
  const char* weights;    // the same
  int64_t in_step_d, in_step_h, w_step_d, w_step_h;  // bytes from tap to tap
  Range interior;                                    // outputs all of whose tap columns lie inside the row
};

CORTEX_INLINE Window clip_window(const cortex_dwconv_args& p) {
  const Range d = clip(p.d0, p.dilation_d, p.kd, p.in_d), h = clip(p.h0, p.dilation_h, p.kh, p.in_h);
  const int64_t corner = (p.d0 + d.begin * p.dilation_d) * p.in_stride_d +
                         (p.h0 + h.begin * p.dilation_h) * p.in_stride_h + p.w0 * p.in_stride_w;
  const int64_t reach = (p.kw - 1) * p.dilation_w;
  return {d.size(),
          h.size(),
          reinterpret_cast<uintptr_t>(p.input) + static_cast<uintptr_t>(corner),
          static_cast<const char*>(p.weights) + d.begin * p.w_stride_d + h.begin * p.w_stride_h,
          p.dilation_d * p.in_stride_d,
          p.dilation_h * p.in_stride_h,
          p.w_stride_d,
          p.w_stride_h,
          clip(p.w0, p.stride_w, p.outputs, p.in_w - reach)};
}

}  // namespace
}  // namespace cortex
