// Which steps of a window stay inside the input, and how a dilated window becomes dense ones.
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

// The outputs phase, phase + apart, ... along height or width. They see the input in steps of the dilation,
// and in those steps their windows are dense: output i and tap t meet at step i*stride + t.
struct Axis {
  int64_t taps, apart, outputs, stride;
  int64_t first, step;  // step s is position first + s*step of the input
  Range inside;         // the steps that exist
};

CORTEX_INLINE int64_t common_divisor(int64_t a, int64_t b) {
  while (b != 0) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

// How many such axes the outputs fall into.
CORTEX_INLINE int64_t phases(int64_t stride, int64_t dilation, int64_t taps) {
  return dilation == 1 || taps == 1 ? 1 : dilation / common_divisor(stride, dilation);
}

CORTEX_INLINE Axis make_axis(int64_t phase, int64_t apart, int64_t outputs, int64_t origin, int64_t stride,
                             int64_t dilation, int64_t taps, int64_t extent) {
  Axis axis;
  axis.taps = taps;
  axis.apart = apart;
  axis.outputs = (outputs - phase + apart - 1) / apart;
  axis.step = taps == 1 ? 1 : dilation;
  axis.stride = stride * apart / axis.step;
  axis.first = origin + phase * stride;
  axis.inside = clip(axis.first, axis.step, (axis.outputs - 1) * axis.stride + taps, extent);
  return axis;
}

// Cuts `count` into as few parts of at most `most` as possible, whose sizes differ by at most one.
struct Parts {
  int64_t size, longer;  // the first `longer` parts have one more

  CORTEX_INLINE Parts(int64_t count, int64_t most) {
    const int64_t parts = (count + most - 1) / most;
    size = parts > 0 ? count / parts : 0;
    longer = parts > 0 ? count % parts : 0;
  }
  CORTEX_INLINE int64_t next() { return longer-- > 0 ? size + 1 : size; }
};

}  // namespace
}  // namespace cortex
