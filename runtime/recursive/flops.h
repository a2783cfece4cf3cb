// The arithmetic of a batch.
#pragma once

#include "graph/recursive/model.h"
#include "runtime/recursive/linearize.h"

namespace cortex::recursive {

// Two per multiply-add of the model's own products; those with absent children left out.
struct NodeFlops {
  double leaf = 0, inner = 0,
         edge = 0;  // of a node without children, one with children, each of its children
};
NodeFlops node_flops(const Model& model);

inline double count_flops(const NodeFlops& flops, const Linear& linear) {
  const double leaves = static_cast<double>(linear.leaves),
               inner = static_cast<double>(linear.nodes) - leaves;
  return leaves * flops.leaf + inner * flops.inner + static_cast<double>(linear.edges) * flops.edge;
}

}  // namespace cortex::recursive
