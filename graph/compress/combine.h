// Column combining (Kung, McDanel, Zhang, "Packing sparse convolutional neural networks for efficient
// systolic array implementations", ASPLOS 2019): columns of a sparse filter matrix that rarely have nonzeros
// in the same row are packed as one; where they do, all but the largest weight of the row are pruned.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/compress/matrix.h"
#include "support/result.h"

namespace cortex {

struct CombineOptions {
  int alpha = 8;       // columns in a group, at most
  double gamma = 0.5;  // conflicts of a group: at most gamma per row, on average
  // Annealing steps after the greedy grouping: two columns of different groups change places. 0: greedy
  // alone.
  int64_t steps = 1000000;
  uint64_t seed = 1;
};

using ColumnGroups =
    std::vector<std::vector<int32_t>>;  // columns of each group, ascending; each column in one

struct Combined {
  ColumnGroups groups;
  FilterMatrix weights;  // conflicts pruned
  double kept = 0;       // of the magnitude of the weights that were combined
};

// Merges the legal pair of groups whose union has the most nonzero rows, until no pair is legal.
// Deterministic.
Result<ColumnGroups> group_greedily(const FilterMatrix& weights, const CombineOptions& options);

// Groups of exactly alpha columns (the last ones fewer), as few as there can be; conflicts as they come.
ColumnGroups group_in_order(const FilterMatrix& weights, int alpha);

// Simulated annealing towards the most kept magnitude. Sizes of groups stay; a group never exceeds the budget
// of conflicts unless it did before. Deterministic for a seed.
void anneal_groups(const FilterMatrix& weights, const CombineOptions& options, ColumnGroups& groups);

// Greedy grouping, annealing, conflict pruning. Refuses alpha < 1 and gamma < 0. With gamma >= alpha nothing
// limits conflicts: groups are as few as there can be.
Result<Combined> combine_columns(const FilterMatrix& weights, const CombineOptions& options);

// What is left when each row keeps the largest weight of every group (of equal ones the first).
FilterMatrix prune_conflicts(const FilterMatrix& weights, const ColumnGroups& groups);

}  // namespace cortex
