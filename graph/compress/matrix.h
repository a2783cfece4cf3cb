// Weights as a matrix of filters.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace cortex {

// Row: an output channel. Columns: (tap, input channel), channels fastest, so that consecutive columns within
// a period of `channels` are the channels of one tap.
struct FilterMatrix {
  int64_t rows = 0, columns = 0;
  int64_t channels = 0;  // columns is a multiple of it; matmul: columns
  std::vector<float> values;

  float& at(int64_t r, int64_t c) { return values[static_cast<std::size_t>(r * columns + c)]; }
  float at(int64_t r, int64_t c) const { return values[static_cast<std::size_t>(r * columns + c)]; }
};

// Sum of |w|.
inline double magnitude(const FilterMatrix& w) {
  double sum = 0;
  for (float v : w.values) sum += std::abs(static_cast<double>(v));
  return sum;
}

// Share of zeros.
inline double sparsity(const FilterMatrix& w) {
  int64_t zeros = 0;
  for (float v : w.values) zeros += v == 0.0f;
  return w.values.empty() ? 0 : static_cast<double>(zeros) / static_cast<double>(w.values.size());
}

}  // namespace cortex
