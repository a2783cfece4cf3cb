// Random small problems of every kind, for tests.
#pragma once

#include <random>

#include "cortex/cortex.h"
#include "graph/problem/problem.h"

namespace cortex::testing {

using Random = std::mt19937_64;

inline int64_t pick(Random& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

Problem random_conv(Random& random);
Problem random_matmul(Random& random);
Epilogue random_epilogue(Random& random);
// How the caller holds the operands; activations of convolutions in `first` or a later cortex_layout.
void random_layouts(const Problem& problem, cortex_layout first, Random& random,
                    cortex_plan_options& options);

}  // namespace cortex::testing
