// A Model as it is written, node by node, in double.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cortex/recursive.h"
#include "graph/recursive/model.h"

namespace cortex::recursive::testing {

using Parameters = std::vector<std::vector<float>>;  // in the model's order

// result[node][state] = elements. reverse: sequences from their ends.
std::vector<std::vector<std::vector<double>>> evaluate(const Model& model, const Parameters& parameters,
                                                       const cortex_recursive_batch& batch,
                                                       bool reverse = false);

}  // namespace cortex::recursive::testing
