// Extremes of a subscript over the iteration domain.
#pragma once

#include "graph/nest/nest.h"
#include "support/result.h"

namespace cortex {

struct Bounds {
  int64_t min = 0, max = 0;
  bool operator==(const Bounds&) const = default;
};

// By PPL's integer programs over the dims' boxes; without PPL, by interval arithmetic (exact on boxes).
// A second opinion on polyopt/isl's subscript_bounds().
Result<Bounds> expression_bounds(const Nest& nest, const AffineExpr& expr);

}  // namespace cortex
