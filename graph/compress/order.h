// The order of output channels: formats in which adjacent ones share a choice keep more where they stand
// beside those that are alike.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/compress/format.h"
#include "graph/compress/matrix.h"
#include "support/result.h"

namespace cortex {

// Place i takes what was at order[i].
using Order = std::vector<int32_t>;

Order identity_order(int64_t size);
// `first`, then `second` of the result.
Order compose(const Order& first, const Order& second);
FilterMatrix reorder_rows(const FilterMatrix& weights, const Order& order);
// Input channels of every tap alike.
FilterMatrix reorder_channels(const FilterMatrix& weights, const Order& order);

// Rows that share a choice: T of N:M, the rows of blocks; 1: their order is no matter.
int rows_together(const WeightFormat& format);

struct OrderOptions {
  uint64_t seed = 1;
  // Weights that the search looks at, about: a bound of its time, of some nanoseconds each.
  double work = 5e8;
};

// One order for the rows of all matrices, that have equally many (several: layers whose outputs are added),
// with which `prune` to `keep` (see prune.h) keeps at least as much of their magnitude together as without.
// Groups are grown by the row that loses least, then rows change places between groups, by annealing.
// Deterministic for a seed. Where nothing is gained: the identity. Refuses matrices of unequal rows, and
// what `prune` refuses.
Result<Order> order_rows(std::span<const FilterMatrix* const> weights, const WeightFormat& format,
                         double keep, const OrderOptions& options);

}  // namespace cortex
