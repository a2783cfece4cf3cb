// Element-wise values of one shape and phase -> steps of the row interpreter.
#pragma once

#include <functional>
#include <optional>

#include "graph/recursive/model.h"
#include "polyopt/recursive/program.h"
#include "support/result.h"

namespace cortex::recursive {

// A state that is another name of a value.
struct PointwiseCopy {
  int value;
  Stream to;
};

struct PointwiseInput {
  const Cell& cell;
  const std::vector<int>& values;  // in order
  const std::vector<PointwiseCopy>& copies;
  const std::vector<int64_t>& shape;
  bool fuse;
  int64_t quantum;
  std::function<std::optional<Stream>(int)> place;  // where a value stands in memory, if it does
  std::function<Stream(int)> new_edge_temporary;    // memory for a per-child value
};

// Chains like activation(a + b + c) * d + e become one step. Segments alternate between what is done once per
// node and once per child.
Result<Pointwise> lower_pointwise(const PointwiseInput& input);

}  // namespace cortex::recursive
