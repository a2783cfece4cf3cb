// Which taps of a window, and which outputs of a row, stay inside the input.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

struct TapRange {
  int64_t begin, end;
};

// The taps t of 0..count-1 for which 0 <= first + t*step < extent.
CORTEX_INLINE TapRange clip_taps(int64_t first, int64_t step, int64_t count, int64_t extent) {
  int64_t begin = first < 0 ? (-first + step - 1) / step : 0;
  int64_t end = first < extent ? (extent - first + step - 1) / step : 0;
  if (end > count) end = count;
  if (begin > end) begin = end;
  return {begin, end};
}

struct Window {
  TapRange d, h;      // taps
  TapRange interior;  // outputs all of whose taps lie inside the row
};

CORTEX_INLINE Window clip_window(const cortex_dwconv_args& p) {
  // Output x is interior if its first column is not negative and its last one is inside.
  const int64_t reach = (p.kw - 1) * p.dilation_w;
  return {clip_taps(p.d0, p.dilation_d, p.kd, p.in_d), clip_taps(p.h0, p.dilation_h, p.kh, p.in_h),
          clip_taps(p.w0, p.stride_w, p.outputs, p.in_w - reach)};
}

}  // namespace
}  // namespace cortex
