// Recursive problems as people write them: "treelstm h256 mb10", a model, its hidden size, how many
// structures make a batch, and what they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/structure/synthetic.h"
#include "support/result.h"

namespace cortex {

enum class RecursiveModel {
  treefc,         // h = relu(W [h_l; h_r] + b)
  treernn,        // h = tanh(U sum h_k + x + b)
  treegru,        // child-sum
  treelstm,       // child-sum
  treelstm_nary,  // one matrix per child slot
  mvrnn,          // a vector and a matrix per node
  dagrnn,         // h = tanh(x + W sum h_k + b), predecessors in a DAG
  seqrnn,         // the three sequential cells, input already projected
  seqlstm,
  seqgru,
};
const char* recursive_model_name(RecursiveModel model);  // "treelstm-nary", ...
bool runs_over_sequences(RecursiveModel model);
bool needs_pairs(RecursiveModel model);  // treefc and mvrnn: two children or none

enum class StructureKind { trees, perfect, sequence, chain, star, grid, random_tree, dag };

struct StructureSpec {
  StructureKind kind = StructureKind::trees;  // trees: those of a file
  int32_t size = 0;                           // height, length, leaves, rows, nodes
  int32_t columns = 0;                        // of a grid
  bool operator==(const StructureSpec&) const = default;
};

struct RecursiveProblem {
  RecursiveModel model = RecursiveModel::treelstm;
  int64_t hidden = 0;
  int32_t batch = 1;
  // What the model runs over unless told otherwise: treefc perfect7, dagrnn grid10x10, seq* seq100, others
  // trees.
  StructureSpec structure;
  bool bf16 = false;  // the weights of products are bf16 values
  std::string name;   // of n"name*count"
  int64_t count = 1;
  std::string text;  // as written
};

// Problems one after another, each beginning with a model: treefc treernn treegru treelstm treelstm-nary
// mvrnn dagrnn seqrnn seqlstm seqgru; then h<size>, mb<count>, a structure (trees, perfect7, seq100,
// chain100, star1000, grid10x10, tree50, dag100), bf16, n"name*count" in any order.
Result<std::vector<RecursiveProblem>> parse_recursive(std::string_view line);

// A list: one problem a line, '#' starts a comment. Messages begin with "<source>:<line>: ".
Result<std::vector<RecursiveProblem>> read_recursive_batch(const std::string& path);

std::string to_string(const StructureSpec& spec);
std::string to_string(const RecursiveProblem& problem);  // canonical; parses back

// Nodes of a batch: of an average one of those of a file, about as many where they are drawn.
double batch_nodes(const RecursiveProblem& problem, const Structures* file);

// `batches` batches of the problem's structures. Those of a file (kind trees; `file` must then be given) are
// taken evenly spread over it, wrapping where it is too short; a sequential cell reads a tree's leaves from
// left to right. Word ids are taken modulo words.count. Refuses a structure the model cannot run over, and
// batches with more nodes than can be numbered.
Result<std::vector<Structures>> make_batches(const RecursiveProblem& problem, const Structures* file,
                                             int32_t batches, SyntheticWords words);

// Whether the model can run over the structures: the reason if not.
Status check_structures(RecursiveModel model, const Structures& structures);

// Multiply-adds of matrices, counting what no ordering or batching can save: zero states of leaves are no
// work.
double recursive_multiply_adds(const RecursiveProblem& problem, const Structures& structures);

}  // namespace cortex
