// Extremes of a subscript over the iteration domain, as isl finds them.
#pragma once

#include <cstdint>
#include <utility>

#include "graph/nest/nest.h"
#include "support/result.h"

namespace cortex {

// (min, max). polyopt/ppl's expression_bounds() is the second opinion.
Result<std::pair<int64_t, int64_t>> subscript_bounds(const Nest& nest, const AffineExpr& expr);

}  // namespace cortex
