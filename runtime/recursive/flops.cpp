#include "runtime/recursive/flops.h"

namespace cortex::recursive {

NodeFlops node_flops(const Model& model) {
  // Per child, once per node with children, once per node.
  const auto cost = [](const Cell& cell, double& per_node, double& per_parent, double& per_child) {
    std::vector<bool> reads_children(cell.values.size());
    for (std::size_t i = 0; i < cell.values.size(); ++i) {
      const Value& v = cell.values[i];
      reads_children[i] = v.op == Op::child;
      for (const int a : v.args)
        reads_children[i] = reads_children[i] || reads_children[static_cast<std::size_t>(a)];
      if (v.op != Op::matmul) continue;
      const Value& a = cell.values[static_cast<std::size_t>(v.args[0])];
      const double flops = 2.0 * static_cast<double>(elements(v.shape)) * static_cast<double>(a.shape.back());
      (v.per_child ? per_child : reads_children[i] ? per_parent : per_node) += flops;
    }
  };
  double node = 0, parent = 0, child = 0, leaf = 0, none = 0;
  cost(model.node, node, parent, child);
  if (model.leaf) {
    cost(*model.leaf, leaf, none, none);
  } else {
    leaf = node;
  }
  return {leaf, node + parent, child};
}

}  // namespace cortex::recursive
