// The values a subscript takes over the iteration box.
#pragma once

#include "graph/nest/nest.h"

namespace cortex {

struct Range {
  int64_t low = 0, high = 0;  // both included
};

// The nest's sizes must have passed verify(), or come from one that has: no overflow check here.
inline Range range_of(const AffineExpr& subscript, const std::vector<Dim>& dims) {
  Range range{subscript.constant, subscript.constant};
  for (const AffineTerm& term : subscript.terms) range.high += term.coeff * (dims[term.dim].extent - 1);
  return range;
}

inline bool stays_inside(const AffineExpr& subscript, const std::vector<Dim>& dims, int64_t extent) {
  const Range range = range_of(subscript, dims);
  return range.low >= 0 && range.high < extent;
}

}  // namespace cortex
