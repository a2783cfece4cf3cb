#include "runtime/sparse/kept.h"

#include <algorithm>
#include <numeric>

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

void take_back_zero(int32_t zero, const WeightsView& weights, int32_t* compensation) {
  for (int64_t r = 0; r < weights.rows; ++r) {
    int64_t sum = 0;
    for (int64_t c = 0; c < weights.channels; ++c)
      for (int64_t tap = 0; tap < weights.taps; ++tap) sum += static_cast<int64_t>(weights.at(r, c, tap));
    compensation[r] = static_cast<int32_t>(static_cast<uint32_t>(-zero * sum));
  }
}

Kept keep_nonzero(const WeightsView& w, Sharing sharing) {
  Kept kept;
  kept.sharing = sharing;
  kept.rows = w.rows;
  for (int64_t row = 0; row < w.rows;) {
    const int64_t together = row + sharing.rows <= w.rows ? sharing.rows : 1;
    RowGroup group;
    group.row = row;
    for (int64_t c = 0; c < w.channels; ++c) {
      for (int64_t tap = 0; tap < w.taps; ++tap) {
        unsigned kept_by = 0;
        for (int64_t r = 0; r < together; ++r) kept_by |= (w.at(row + r, c, tap) != 0.0f ? 1u : 0u) << r;
        if (kept_by == 0) continue;
        group.columns.push_back(static_cast<int32_t>(c * w.taps + tap));
        if (sharing.patterns && together > 1) group.kept_by.push_back(static_cast<uint8_t>(kept_by));
      }
    }
    kept.groups.push_back(std::move(group));
    row += together;
  }
  return kept;
}

std::vector<std::size_t> list_order(const RowGroup& group, std::size_t begin, std::size_t end) {
  std::vector<std::size_t> order(end - begin);
  std::iota(order.begin(), order.end(), begin);
  if (!group.kept_by.empty()) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return group.kept_by[a] < group.kept_by[b]; });
  }
  return order;
}

}  // namespace cortex
