#include "polyopt/model/footprint.h"

namespace cortex {

Layout user_layout(const OperandFacts& facts, double line,
                   const std::array<double, crowded_levels>& way_bytes) {
  Layout layout;
  layout.count = facts.count;
  layout.elem = facts.elem;
  layout.line = line;
  layout.way_bytes = way_bytes;
  layout.line_rows = true;
  for (int i = 0; i < facts.count; ++i) {
    layout.dim[i] = facts.terms[i].dim;
    layout.stride[i] = facts.terms[i].stride;
    const auto stride = static_cast<int64_t>(layout.stride[i]);
    if (stride > static_cast<int64_t>(facts.elem) && stride % static_cast<int64_t>(line))
      layout.line_rows = false;
  }
  return layout;
}

}  // namespace cortex
