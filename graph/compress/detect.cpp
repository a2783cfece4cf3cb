#include "graph/compress/detect.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/compress/combine.h"

namespace cortex {
namespace {

// Most channels with a nonzero in any T rows of any whole group of M channels.
int most_kept(const FilterMatrix& w, int m, int t) {
  int most = 0;
  for (int64_t row = 0; row < w.rows; row += t) {
    for (int64_t tap = 0; tap < w.columns; tap += w.channels) {
      for (int64_t c = 0; c < w.channels; c += m) {
        int kept = 0;
        const int64_t width = std::min<int64_t>(m, w.channels - c);
        for (int64_t i = 0; i < width; ++i) {
          bool used = false;
          for (int64_t r = row; r < std::min<int64_t>(row + t, w.rows); ++r)
            used |= w.at(r, tap + c + i) != 0;
          kept += used;
        }
        // A group at the end keeps its share, rounded up: as if it were whole.
        most = std::max(most, width == m ? kept : static_cast<int>((kept - 1) * m / width + 1));
        if (most >= m) return m;
      }
    }
  }
  return most;
}

double kept_blocks(const FilterMatrix& w, int rows, int cols) {
  int64_t kept = 0, all = 0;
  for (int64_t r0 = 0; r0 < w.rows; r0 += rows) {
    for (int64_t c0 = 0; c0 < w.columns; c0 += cols, ++all) {
      bool used = false;
      for (int64_t r = r0; r < std::min<int64_t>(r0 + rows, w.rows) && !used; ++r) {
        for (int64_t c = c0; c < std::min<int64_t>(c0 + cols, w.columns) && !used; ++c)
          used = w.at(r, c) != 0;
      }
      kept += used;
    }
  }
  return static_cast<double>(kept) / static_cast<double>(all);
}

}  // namespace

std::vector<Finding> detect_formats(const FilterMatrix& w) {
  std::vector<Finding> found;
  const double zeros = sparsity(w);
  if (zeros > 0) {
    for (const int m : {2, 4, 8, 16, 32}) {
      if (m > w.channels) break;
      for (const int t : {16, 8, 4, 2, 1}) {
        const int n = std::max(most_kept(w, m, t), 1);
        if (n == m) continue;
        // A finer description of the same work adds nothing: 2 of 4 is 1 of 2 where that holds too.
        const double work = static_cast<double>(n) / m;
        const bool known = std::any_of(found.begin(), found.end(),
                                       [&](const Finding& f) { return f.work <= work && f.format.t >= t; });
        if (known) continue;
        WeightFormat format{WeightStructure::nm, n, m, t};
        found.push_back(
            {format, work,
             fmt::format("at most {} of {} consecutive channels are used by {} filters together", n, m, t)});
      }
    }
    for (const auto& [rows, cols] : {std::pair{1, 4}, {4, 1}, {4, 4}, {8, 1}, {16, 1}}) {
      const double kept = kept_blocks(w, rows, cols);
      // Blocks say something only where their zeros are more than chance leaves between scattered weights.
      if (kept > 0.95 || kept > 1.25 * (1 - zeros) + 1e-12) continue;
      WeightFormat format{WeightStructure::blocks};
      format.rows = rows;
      format.cols = cols;
      found.push_back(
          {format, kept, fmt::format("{:.1f} % of the {}x{} blocks hold a weight", 100 * kept, rows, cols)});
    }
    for (const int alpha : {2, 4, 8, 16}) {
      CombineOptions options{.alpha = alpha, .gamma = 0, .steps = 0};
      const Result<ColumnGroups> groups = group_greedily(w, options);
      if (!groups) break;
      const double work = static_cast<double>(groups->size()) / static_cast<double>(w.columns);
      if (work > 0.95) continue;
      WeightFormat format{WeightStructure::combined};
      format.alpha = alpha;
      found.push_back(
          {format, work,
           fmt::format("{} columns combine into {} without a conflict", w.columns, groups->size())});
    }
    found.push_back({WeightFormat{WeightStructure::unstructured}, 1 - zeros,
                     fmt::format("{:.1f} % are zero", 100 * zeros)});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Finding& x, const Finding& y) { return x.work < y.work; });
  found.push_back({WeightFormat{}, 1, "any weights"});
  return found;
}

}  // namespace cortex
