// An element-wise step as text that says all of what it computes: two steps with one key are the same code.
#pragma once

#include <string>

#include "polyopt/recursive/program.h"

namespace cortex::recursive {

// Which array of its kind a row belongs to is left out: whoever runs the step says where rows are.
std::string pointwise_key(const Pointwise& pointwise);

// How a row of a step follows from the number of the level's node, or of its child edge.
enum class RowAccess {
  node_strided,  // base + node * stride
  node_pointed,  // an address per node
  edge_strided,
  edge_pointed,
  block,    // base + node * stride + (the child's number among its node's) * width
  scratch,  // nowhere: it lives inside the step
};
RowAccess row_access(const Stream& stream);
bool is_per_edge(RowAccess access);

}  // namespace cortex::recursive
