#include "bench/backends/torch/model.h"

#include <ATen/Version.h>

#include <algorithm>

namespace cortex::bench::torch_peer {
namespace {

// A copy: torch aligns its memory as it likes it.
at::Tensor tensor(const RecursiveOperands& operands, const char* name) {
  const RecursiveParameter& p = operands.parameter(name);
  return at::from_blob(const_cast<float*>(p.data()), p.dims).clone();
}

}  // namespace

Model::Model(const RecursiveProblem& problem, const RecursiveOperands& operands, bool tried)
    : kind(problem.model),
      h(problem.hidden),
      second(second_state_size(problem)),
      slots(operands.max_children),
      no_word(operands.vocabulary) {
  const at::Tensor b = tensor(operands, "b");
  x = tensor(operands, "X");
  if (kind == RecursiveModel::treefc || kind == RecursiveModel::mvrnn) {
    w = Product(tensor(operands, "W"), b, tried);
    if (kind == RecursiveModel::mvrnn) {
      x_m = tensor(operands, "X_M");
      w_m = tensor(operands, "W_M");
      b_m = tensor(operands, "b_M");
    }
    return;
  }
  x = at::cat({x.add_(b), b.unsqueeze(0)});
  const at::Tensor u_all = tensor(operands, "U");
  if (kind == RecursiveModel::treegru || kind == RecursiveModel::seqgru) {
    u = Product(u_all.narrow(0, 0, 2 * h).contiguous(), {}, tried);
    u_gate = Product(u_all.narrow(0, 2 * h, h).contiguous(), {}, tried);
    u_biased = Product(u_all.narrow(0, 0, 2 * h).contiguous(), b.narrow(0, 0, 2 * h).contiguous(), tried);
    u_gate_biased =
        Product(u_all.narrow(0, 2 * h, h).contiguous(), b.narrow(0, 2 * h, h).contiguous(), tried);
    return;
  }
  u = Product(u_all, {}, tried);
  u_biased = Product(u_all, b.narrow(0, 0, u_all.size(0)).contiguous(), tried);
  if (kind == RecursiveModel::treelstm || kind == RecursiveModel::treelstm_nary) {
    const at::Tensor f = tensor(operands, "U_f"), b_f = b.narrow(0, 3 * h, h).contiguous();
    x_leaf = x.narrow(1, 0, 3 * h).contiguous();
    u_f = Product(f, {}, tried);
    u_f_biased = Product(f, kind == RecursiveModel::treelstm ? b_f : b_f.repeat({slots}), tried);
  }
}

std::string isa_of_torch() {
  const std::string text = at::show_config(), key = "CPU capability usage: ";
  const auto at = text.find(key);
  if (at == std::string::npos) return "unknown";
  return text.substr(at + key.size(), text.find('\n', at) - at - key.size());
}

void order_by_height(const Structures& batch, Order& order) {
  const auto nodes = static_cast<std::size_t>(batch.node_count());
  std::vector<int32_t> height(nodes);
  bool children_first = true;
  int32_t tallest = 0;
  for (int32_t v = 0; v < batch.node_count() && children_first; ++v) {
    int32_t most = -1;
    for (int32_t k = 0; k < batch.child_count(v); ++k) {
      const int32_t child = batch.children_of(v)[k];
      children_first = children_first && child < v;
      most = std::max(most, height[static_cast<std::size_t>(std::min(child, v))]);
    }
    height[static_cast<std::size_t>(v)] = most + 1;
    tallest = std::max(tallest, most + 1);
  }
  if (!children_first) {
    height = *heights(batch);
    tallest = *std::max_element(height.begin(), height.end());
  }
  order.first.assign(static_cast<std::size_t>(tallest) + 2, 0);
  for (const int32_t level : height) ++order.first[static_cast<std::size_t>(level) + 1];
  for (std::size_t l = 1; l < order.first.size(); ++l) order.first[l] += order.first[l - 1];
  order.node.resize(nodes);
  order.position.resize(nodes);
  std::vector<int32_t> next = order.first;
  for (std::size_t v = 0; v < nodes; ++v) {
    const int32_t at = next[static_cast<std::size_t>(height[v])]++;
    order.position[v] = at;
    order.node[static_cast<std::size_t>(at)] = static_cast<int32_t>(v);
  }
}

}  // namespace cortex::bench::torch_peer
