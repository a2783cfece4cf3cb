// The contract of a problem, computed in double, for tests: straight from the formula, in whatever layout
// the operands are held.
#pragma once

#include <cstdint>
#include <vector>

#include "cortex/cortex.h"
#include "graph/problem/problem.h"

namespace cortex::testing {

struct Operands {
  const float* src = nullptr;
  const float* weights = nullptr;  // as the caller holds them, not packed
  const float* bias = nullptr;
  const float* residual = nullptr;
  cortex_layout src_layout = CORTEX_LAYOUT_NHWC;
  cortex_layout dst_layout = CORTEX_LAYOUT_NHWC;               // the residual's too
  cortex_weights_layout weights_layout = CORTEX_WEIGHTS_OIHW;  // matmul: KN or NK
  const float* scale = nullptr;
};

struct Expected {
  std::vector<double> value;      // in dst's layout
  std::vector<double> tolerance;  // |result - value| must not exceed it
};

Expected reference(const Problem& problem, const Operands& operands);

// Elements of the operands.
int64_t src_elements(const Problem& problem);
int64_t weights_elements(const Problem& problem);
int64_t bias_elements(const Problem& problem);
int64_t dst_elements(const Problem& problem);

}  // namespace cortex::testing
