#include "runtime/sparse/kept.h"

namespace cortex {

WeightsView view_weights(const Problem& problem, cortex_weights_layout layout, const void* values) {
  WeightsView v;
  v.type = problem.wei;
  v.values = values;
  if (problem.is_matmul()) {
    const MatmulProblem& m = problem.matmul();
    v.rows = m.n;
    v.channels = m.k;
    const bool transposed = layout == CORTEX_WEIGHTS_NK;
    v.row_stride = transposed ? m.k : 1;
    v.channel_stride = transposed ? 1 : m.n;
    return v;
  }
  const ConvProblem& c = problem.conv();
  v.rows = c.oc;
  v.channels = c.ic;
  v.taps = c.kd * c.kh * c.kw;
  if (layout == CORTEX_WEIGHTS_OIHW) {
    v.row_stride = c.ic * v.taps;
    v.channel_stride = v.taps;
    v.tap_stride = 1;
  } else {  // HWIO; GHWIO is the same with one group
    v.row_stride = 1;
    v.channel_stride = c.oc;
    v.tap_stride = c.ic * c.oc;
  }
  return v;
}

Kept keep_nonzero(const WeightsView& w, int share) {
  Kept kept;
  kept.share = share;
  kept.rows = w.rows;
  for (int64_t row = 0; row < w.rows;) {
    const int64_t together = row + share <= w.rows ? share : 1;
    RowGroup group;
    group.row = row;
    for (int64_t c = 0; c < w.channels; ++c) {
      for (int64_t tap = 0; tap < w.taps; ++tap) {
        bool any = false;
        for (int64_t r = row; r < row + together; ++r) any = any || w.at(r, c, tap) != 0.0f;
        if (any) group.columns.push_back(static_cast<int32_t>(c * w.taps + tap));
      }
    }
    kept.groups.push_back(std::move(group));
    row += together;
  }
  return kept;
}

}  // namespace cortex
