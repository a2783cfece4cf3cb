// Element counts and index arithmetic of a problem's tensors in the reference layout:
// conv: src [mb][id][ih][iw][ic], weights [g][kd][kh][kw][ic/g][oc/g], dst [mb][od][oh][ow][oc];
// matmul: A, B as the problem holds them, C [batch...][m][n].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/problem/problem.h"

namespace cortex::bench {

int64_t a_elements(const Problem& problem);
int64_t b_elements(const Problem& problem);
int64_t c_elements(const Problem& problem);
int64_t bias_elements(const Problem& problem);  // output channels or columns, whether or not there is a bias

int64_t reduction_length(const Problem& problem);  // multiply-adds behind one output
double flop_count(const Problem& problem);

// Matmul batches, flattened: output batch i uses batch index_a[i] of A and index_b[i] of B.
struct MatmulBatches {
  int64_t count = 1;
  std::vector<int64_t> dims;
  std::vector<int64_t> index_a, index_b;
};
MatmulBatches matmul_batches(const MatmulProblem& matmul);

// "f32", "bf16", "u8s8u8": one type where all are the same.
std::string dt_name(const Problem& problem);

// "64x56x56 -> 64x56x56 k3" or "128x768x3072": for tables.
std::string short_shape(const Problem& problem);

}  // namespace cortex::bench
