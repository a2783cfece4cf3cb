// What both torch backends hold: the parameters as tensors, products ready.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/backends/backend.h"
#include "bench/backends/torch/product.h"
#include "bench/recursive/operands.h"

namespace cortex::bench::torch_peer {

struct Model {
  // `tried`: products are chosen by trial.
  Model(const RecursiveProblem& problem, const RecursiveOperands& operands, bool tried);

  RecursiveModel kind;
  int64_t h, second, slots;
  // The table of projected words with the bias added, and a last row for nodes without a word. treefc and
  // mvrnn, whose leaves are their words: the table alone.
  at::Tensor x;
  at::Tensor x_leaf;          // the tree LSTMs: its first three blocks, all that a leaf needs
  at::Tensor x_m;             // mvrnn: [v][h][h]
  int64_t no_word;            // the last row's number
  Product u, u_gate, u_f, w;  // without bias: it is in x
  Product u_biased, u_gate_biased, u_f_biased;  // with it, for nodes that have no word
  at::Tensor w_m, b_m;
};

// A batch's nodes, children first: level by level, each level's nodes side by side.
struct Order {
  std::vector<int32_t> node;      // by position
  std::vector<int32_t> position;  // by node
  std::vector<int32_t> first;     // of each level, and the end
  int32_t levels() const { return static_cast<int32_t>(first.size()) - 1; }
};
// Reuses the vectors of `order`.
void order_by_height(const Structures& batch, Order& order);

// What torch says it runs with: "AVX512".
std::string isa_of_torch();

std::unique_ptr<Instance> make_nodes(const RecursiveRequest& request);
std::unique_ptr<Instance> make_levels(const RecursiveRequest& request);

}  // namespace cortex::bench::torch_peer
