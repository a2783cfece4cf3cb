// LIBXSMM's ways to multiply a sparse matrix, known ahead of time, with a dense one.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "support/cpu.h"

namespace cortex::bench::xsmm {

// The sparse factor A, rows x depth, compressed by rows.
struct SparseRows {
  int64_t rows = 0, depth = 0;
  std::vector<unsigned> first, index;  // [rows + 1] into index and values
  std::vector<float> values;
  int64_t count(int64_t row) const { return first[row + 1] - first[row]; }
};

// The dense B (depth rows) and C (rows rows) lie in panels of `width` columns, each [row][its columns]; the
// last one may be narrower. `columns` is a multiple of 16.
struct Panels {
  int64_t columns = 0, width = 0;
  int64_t count() const { return (columns + width - 1) / width; }
  int64_t width_of(int64_t panel) const { return std::min(width, columns - panel * width); }
  int64_t offset(int64_t row, int64_t rows, int64_t column) const {
    const int64_t panel = column / width;
    return panel * width * rows + row * width_of(panel) + column % width;
  }
};

// Called for rows [row, row + rows) of one panel of C as soon as they are finished.
using RowsDone = std::function<void(int64_t panel, int64_t row, int64_t rows)>;

class SparseProduct {
 public:
  virtual ~SparseProduct() = default;
  // C = A B, the share of one of `threads` threads of an OpenMP team.
  virtual void run(int thread, int threads, const float* b, float* c, const RowsDone& done) = 0;
  virtual std::vector<std::span<const std::byte>> weights() const = 0;  // values and, if JIT made it, code
  const Panels& panels() const { return panels_; }
  const std::string& kernel() const { return kernel_; }
  const std::string& variant() const { return variant_; }

 protected:
  Panels panels_;
  std::string kernel_, variant_;
};

// One way with its parameters: makes the kernels, or gives null where LIBXSMM refuses some of them.
using MakeProduct = std::function<std::unique_ptr<SparseProduct>()>;

// Every way that may be the fastest one, for so many columns. `a` must outlive what they make.
std::vector<MakeProduct> sparse_products(const SparseRows& a, int64_t columns, Isa isa, int threads);

}  // namespace cortex::bench::xsmm
