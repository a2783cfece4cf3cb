// A batch of recursive structures: lists, trees or DAGs whose nodes read the results of other nodes.
#pragma once

#include <cstdint>
#include <vector>

#include "support/result.h"

namespace cortex {

// Node v reads children[first_child[v]] ... children[first_child[v + 1] - 1], in that order (a tree's
// children, a DAG's predecessors). Structure s owns the nodes first_node[s] ... first_node[s + 1] - 1; what a
// node reads belongs to its own structure. The order of a structure's nodes is free.
struct Structures {
  std::vector<int32_t> first_child = {0};
  std::vector<int32_t> children;
  std::vector<int32_t> word;  // of every node; no_word: none
  std::vector<int32_t> first_node = {0};
  std::vector<int32_t> root;  // of every structure: the node that nothing reads (a grid's last)

  static constexpr int32_t no_word = -1;

  int32_t node_count() const { return static_cast<int32_t>(word.size()); }
  int32_t structure_count() const { return static_cast<int32_t>(root.size()); }
  int32_t child_count(int32_t v) const { return first_child[size_t(v) + 1] - first_child[size_t(v)]; }
  const int32_t* children_of(int32_t v) const { return children.data() + first_child[size_t(v)]; }

  // Appends a node and returns its number; end_structure closes the structure it belongs to.
  int32_t add_node(int32_t word_id, const int32_t* read, int32_t count);
  void end_structure(int32_t root_node);

  bool operator==(const Structures&) const = default;
};

// Structures chosen[0], chosen[1], ... of `all`, as a batch of their own.
Structures select(const Structures& all, const std::vector<int32_t>& chosen);

// 0 for a node that reads nothing, else 1 + the largest height it reads. Refuses a cycle, and a child that
// does not exist or belongs to another structure.
Result<std::vector<int32_t>> heights(const Structures& structures);

// The same structures with each one's nodes in another order, drawn from the seed.
Structures shuffled(const Structures& structures, uint64_t seed);

int32_t largest_child_count(const Structures& structures);
int32_t largest_word(const Structures& structures);  // no_word when none has a word

}  // namespace cortex
