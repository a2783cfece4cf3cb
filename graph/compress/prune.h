// The largest weights that a format can hold; the others become zero.
#pragma once

#include "graph/compress/format.h"
#include "graph/compress/matrix.h"
#include "support/result.h"

namespace cortex {

// `keep`: share of the weights to keep, in (0, 1], for blocks and unstructured; nm has its own, dense keeps
// all. nm: within T consecutive filters and M consecutive channels of one tap the N channels with the largest
// sum of magnitudes stay; what is left of channels after whole groups of M keeps its share, rounded up.
// blocks: the blocks with the largest mean magnitude, those at the edges smaller. Equal magnitudes: the first
// stays. Refuses column combining (see combine.h).
Result<FilterMatrix> prune(const FilterMatrix& weights, const WeightFormat& format, double keep);

}  // namespace cortex
