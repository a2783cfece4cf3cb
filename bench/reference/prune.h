// Weights of a problem, pruned to a format.
#pragma once

#include "bench/reference/operands.h"
#include "graph/compress/format.h"

namespace cortex::bench {

// Refuses problems whose weights have no filter matrix: of groups, or one per batch.
Status check_prunable(const Problem& problem);

// Sets weights of the operands to zero until they have the format; `sparsity` is the share of zeros where the
// format leaves that open (column combining: before conflicts are pruned too). Returns the share that stays.
Result<double> prune_operands(const Problem& problem, const WeightFormat& format, double sparsity,
                              Operands& operands);

}  // namespace cortex::bench
