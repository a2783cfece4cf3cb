// Orders of output channels in a network: the layers that read them take their input channels in the same
// order, so that it computes what it did.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/compress/order.h"

namespace cortex {

// Layer `reader` reads what layer `producer` puts out, alone or added to others: of a reader with several
// producers the outputs are summed, so they share one order.
struct Reads {
  int64_t reader = 0, producer = 0;
  bool operator==(const Reads&) const = default;
};

// Sets of layers whose outputs share one order, and who reads them. A layer that nobody reads is in no set.
struct SharedOrder {
  std::vector<int64_t> producers, readers;  // ascending; a layer may be both
};

// Refuses layers that read themselves, directly or not, outputs that do not fit their readers (groups,
// concatenation, flattening), and what is said twice. `names`: of the layers, for messages.
Result<std::vector<SharedOrder>> shared_orders(const std::vector<std::string>& names,
                                               const std::vector<const FilterMatrix*>& weights,
                                               const std::vector<Reads>& reads);

struct LayerOrder {
  Order rows, channels;  // of its output and its input: the identity where nobody reads or no layer is read
  FilterMatrix weights;  // in that order
  double kept_before = 1, kept = 1;  // of its magnitude, pruned in the old order and in the new one
};

// An order for every set, one after another: taken where producers and readers together keep more. All layers
// together never keep less than in the old order; a reader alone may, as its groups of channels are others.
Result<std::vector<LayerOrder>> order_layers(const std::vector<const FilterMatrix*>& weights,
                                             const std::vector<SharedOrder>& sets, const WeightFormat& format,
                                             double keep, const OrderOptions& options);

}  // namespace cortex
