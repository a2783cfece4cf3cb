#include "graph/compress/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace cortex {
namespace {

// Indices of the `count` largest, equal ones in order.
std::vector<int64_t> largest(const std::vector<double>& size, int64_t count) {
  std::vector<int64_t> order(size.size());
  std::iota(order.begin(), order.end(), 0);
  const auto larger = [&](int64_t x, int64_t y) {
    const double a = size[static_cast<std::size_t>(x)], b = size[static_cast<std::size_t>(y)];
    return a != b ? a > b : x < y;
  };
  const auto middle = order.begin() + std::min<int64_t>(count, static_cast<int64_t>(order.size()));
  std::partial_sort(order.begin(), middle, order.end(), larger);
  order.erase(middle, order.end());
  return order;
}

void prune_nm(const FilterMatrix& in, const WeightFormat& f, FilterMatrix& out) {
  for (int64_t row = 0; row < in.rows; row += f.t) {
    const int64_t row_end = std::min<int64_t>(row + f.t, in.rows);
    for (int64_t tap = 0; tap < in.columns; tap += in.channels) {
      for (int64_t c = 0; c < in.channels; c += f.m) {
        const int64_t width = std::min<int64_t>(f.m, in.channels - c);
        std::vector<double> sums(static_cast<std::size_t>(width));
        for (int64_t r = row; r < row_end; ++r) {
          for (int64_t i = 0; i < width; ++i)
            sums[static_cast<std::size_t>(i)] += std::abs(static_cast<double>(in.at(r, tap + c + i)));
        }
        for (int64_t i : largest(sums, (width * f.n + f.m - 1) / f.m)) {
          for (int64_t r = row; r < row_end; ++r) out.at(r, tap + c + i) = in.at(r, tap + c + i);
        }
      }
    }
  }
}

void prune_blocks(const FilterMatrix& in, int64_t rows, int64_t cols, double keep, FilterMatrix& out) {
  const int64_t across = (in.columns + cols - 1) / cols, down = (in.rows + rows - 1) / rows;
  std::vector<double> mean(static_cast<std::size_t>(across * down));
  const auto each = [&](int64_t block, auto&& visit) {
    const int64_t r0 = block / across * rows, c0 = block % across * cols;
    for (int64_t r = r0; r < std::min(r0 + rows, in.rows); ++r) {
      for (int64_t c = c0; c < std::min(c0 + cols, in.columns); ++c) visit(r, c);
    }
  };
  for (int64_t b = 0; b < across * down; ++b) {
    double sum = 0;
    int64_t count = 0;
    each(b, [&](int64_t r, int64_t c) {
      sum += std::abs(static_cast<double>(in.at(r, c)));
      ++count;
    });
    mean[static_cast<std::size_t>(b)] = sum / static_cast<double>(count);
  }
  const auto kept = static_cast<int64_t>(std::llround(keep * static_cast<double>(mean.size())));
  for (int64_t b : largest(mean, std::max<int64_t>(kept, 1)))
    each(b, [&](int64_t r, int64_t c) { out.at(r, c) = in.at(r, c); });
}

}  // namespace

Result<FilterMatrix> prune(const FilterMatrix& in, const WeightFormat& f, double keep) {
  if (!(keep > 0 && keep <= 1))
    return invalid_argument(
        fmt::format("pruning to {}: {} to keep, more than 0 and at most 1", to_string(f), keep));
  if (f.structure == WeightStructure::dense) return in;
  FilterMatrix out = in;
  std::fill(out.values.begin(), out.values.end(), 0.0f);
  switch (f.structure) {
    case WeightStructure::nm:
      prune_nm(in, f, out);
      return out;
    case WeightStructure::blocks:
      prune_blocks(in, f.rows, f.cols, keep, out);
      return out;
    case WeightStructure::unstructured:
      prune_blocks(in, 1, 1, keep, out);
      return out;
    default:
      return invalid_argument(
          fmt::format("pruning to {}: columns are combined by combine_columns", to_string(f)));
  }
}

}  // namespace cortex
