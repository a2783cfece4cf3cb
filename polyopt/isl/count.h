// Sizes of sets without barvinok: as a product of projections where the set is one, else point by point
// within the context's budget of operations.
#pragma once

#include "polyopt/analysis/runs.h"
#include "polyopt/isl/context.h"
#include "support/result.h"

namespace cortex::polyhedral {

// A 1-D set as ascending runs. False on failure in isl.
bool to_runs(const Set& set, Runs& runs);

// The set's projection on each dim, if the set is their product.
enum class Factors { product, no_product, failed };
Factors factorise(const Set& set, std::vector<Runs>& axes);

struct Count {
  int64_t elements = 0;
  bool factorised = false;
};

// Refuses, with `what` in the message, when the budget runs out or 64 bits do not hold the number.
Result<Count> count_points(const Context& context, const Set& set, const std::string& what);

// Point by point, whatever the set looks like.
Result<int64_t> enumerate_points(const Context& context, const Set& set, const std::string& what);

}  // namespace cortex::polyhedral
