#include "polyopt/model/footprint.h"

#include <numeric>

namespace cortex {

Layout user_layout(const OperandFacts& facts, double line) {
  Layout layout;
  layout.count = facts.count;
  layout.elem = facts.elem;
  layout.line_rows = true;
  for (int i = 0; i < facts.count; ++i) {
    layout.dim[i] = facts.terms[i].dim;
    layout.stride[i] = facts.terms[i].stride;
    const auto stride = static_cast<int64_t>(layout.stride[i]);
    if (stride > static_cast<int64_t>(facts.elem) && stride % static_cast<int64_t>(line)) layout.line_rows = false;
  }
  return layout;
}

double crowded_bytes(const Footprint& footprint, double way_bytes) {
  if (footprint.row_pitch <= 0 || footprint.inner_rows <= 1) return footprint.bytes;
  const auto pitch = static_cast<int64_t>(footprint.row_pitch);
  const auto way = static_cast<int64_t>(way_bytes);
  const double share = static_cast<double>(std::gcd(pitch, way));
  return footprint.rows * std::max(footprint.run, share);
}

}  // namespace cortex
