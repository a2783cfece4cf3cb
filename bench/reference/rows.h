// One row of the answer in double precision. A row is an output position with all channels of one group
// (conv), or one row of C (matmul).
#pragma once

#include <cstdint>
#include <vector>

#include "bench/reference/shapes.h"
#include "graph/problem/problem.h"

namespace cortex::bench {

// Where B's columns come from: the problem's own (float), or `width` random projections of them.
struct Columns {
  const float* plain = nullptr;
  // projected: [row of B][width], the projected values and the bound that stands for |b|
  const double* projected = nullptr;
  const double* bound = nullptr;
  int64_t width = 0;
};

class Rows {
 public:
  explicit Rows(const Problem& problem);

  int64_t count() const { return count_; }    // rows in the answer
  int64_t width() const { return width_; }    // columns of a row: oc/g or n
  int64_t offset(int64_t row) const;          // of the row's first element in C, reference layout
  int64_t first_column(int64_t row) const;    // of the row among output channels: g * oc/g
  int64_t b_rows() const { return b_rows_; }  // rows of B, all groups or batches
  // Element (row of B, column) of B in the reference layout.
  int64_t b_offset(int64_t b_row, int64_t column) const;

  // sum[j] = sum over k of a*b, magnitude[j] = sum over k of |a||b|, for j < columns.width.
  void compute(int64_t row, const float* a, const Columns& columns, double* sum, double* magnitude) const;

  // Rows that errors like best: the corners of first and last image, first and last group.
  std::vector<int64_t> corner_rows() const;

 private:
  void conv_row(int64_t row, const float* a, const Columns& columns, double* sum, double* magnitude) const;
  void matmul_row(int64_t row, const float* a, const Columns& columns, double* sum, double* magnitude) const;

  const Problem& problem_;
  MatmulBatches batches_;
  int64_t count_ = 0, width_ = 0, b_rows_ = 0;
};

}  // namespace cortex::bench
