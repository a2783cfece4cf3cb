// Structures made on the spot. Words are drawn from `words` ids; equal arguments give equal structures.
#pragma once

#include "graph/structure/structure.h"

namespace cortex {

struct SyntheticWords {
  int32_t count = 1000;  // ids 0 ... count - 1
  uint64_t seed = 1;
};

// Binary, 2^height leaves with words, inner nodes without.
Structures perfect_trees(int32_t trees, int32_t height, SyntheticWords words);

// `length` nodes, each reading the one before it. A sequence has a word at every node, a chain (a tree of one
// branch) at its leaf alone.
Structures sequences(int32_t count, int32_t length, SyntheticWords words);
Structures chains(int32_t count, int32_t length, SyntheticWords words);
Structures sequences(const std::vector<int32_t>& lengths, SyntheticWords words);

// A root over `leaves` leaves.
Structures stars(int32_t count, int32_t leaves, SyntheticWords words);

// rows x columns nodes with words; a node reads the one above and the one to its left.
Structures grids(int32_t count, int32_t rows, int32_t columns, SyntheticWords words);

// Random trees of about `nodes` nodes (words at the leaves; others have min_children to max_children
// children), DAGs (words everywhere; at most max_children reads each, all of earlier nodes; several nodes may
// be read by none).
Structures random_trees(int32_t count, int32_t nodes, int32_t max_children, SyntheticWords words,
                        int32_t min_children = 1);
Structures random_dags(int32_t count, int32_t nodes, int32_t max_children, SyntheticWords words);

}  // namespace cortex
