#include "graph/compress/combine.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

namespace cortex {
namespace {

// A set of rows.
class Rows {
 public:
  explicit Rows(int64_t rows) : words_(static_cast<std::size_t>((rows + 63) / 64)) {}
  void add(int64_t row) { words_[static_cast<std::size_t>(row / 64)] |= uint64_t{1} << (row % 64); }
  void merge(const Rows& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  int64_t size() const {
    int64_t n = 0;
    for (uint64_t w : words_) n += std::popcount(w);
    return n;
  }
  int64_t union_size(const Rows& other) const {
    int64_t n = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) n += std::popcount(words_[i] | other.words_[i]);
    return n;
  }

 private:
  std::vector<uint64_t> words_;
};

struct Group {
  std::vector<int32_t> columns;
  Rows rows;             // with a nonzero
  int64_t nonzeros = 0;  // conflicts are those beyond one a row: nonzeros - rows.size()
  bool merged = false;   // into another
};

// Magnitudes column by column: the annealing walks whole columns.
class Columns {
 public:
  explicit Columns(const FilterMatrix& w) : rows_(static_cast<std::size_t>(w.rows)) {
    values_.resize(static_cast<std::size_t>(w.columns) * rows_);
    for (int64_t r = 0; r < w.rows; ++r) {
      for (int64_t c = 0; c < w.columns; ++c)
        values_[static_cast<std::size_t>(c) * rows_ + static_cast<std::size_t>(r)] = std::abs(w.at(r, c));
    }
  }
  // Kept magnitude and conflicts of a group in which `with` stands for column `without`.
  void judge(const std::vector<int32_t>& group, int32_t without, int32_t with, double& kept,
             double& conflicts) {
    most_.assign(rows_, 0.0f);
    nonzero_.assign(rows_, 0.0f);
    for (const int32_t c : group) {
      const float* v = &values_[static_cast<std::size_t>(c == without ? with : c) * rows_];
      for (std::size_t r = 0; r < rows_; ++r) {
        most_[r] = std::max(most_[r], v[r]);
        nonzero_[r] += v[r] > 0 ? 1.0f : 0.0f;
      }
    }
    float sum = 0, beyond = 0;
    for (std::size_t r = 0; r < rows_; ++r) {
      sum += most_[r];
      beyond += std::max(0.0f, nonzero_[r] - 1);
    }
    kept = sum;
    conflicts = beyond;
  }

 private:
  std::size_t rows_;
  std::vector<float> values_, most_, nonzero_;
};

Status check(const CombineOptions& o) {
  if (o.alpha < 1) return invalid_argument(fmt::format("column combining: alpha is {}, at least 1", o.alpha));
  if (!(o.gamma >= 0))
    return invalid_argument(fmt::format("column combining: gamma is {}, at least 0", o.gamma));
  if (o.steps < 0) return invalid_argument(fmt::format("column combining: {} steps", o.steps));
  return Status::success();
}

}  // namespace

Result<ColumnGroups> group_greedily(const FilterMatrix& w, const CombineOptions& options) {
  if (Status s = check(options); !s) return s.error();
  std::vector<Group> groups;
  for (int64_t c = 0; c < w.columns; ++c) {
    Group g{{static_cast<int32_t>(c)}, Rows(w.rows)};
    for (int64_t r = 0; r < w.rows; ++r) {
      if (w.at(r, c) == 0.0f) continue;
      g.rows.add(r);
      ++g.nonzeros;
    }
    groups.push_back(std::move(g));
  }
  const auto most_conflicts = static_cast<int64_t>(options.gamma * static_cast<double>(w.rows));
  // The best partner after it of every group; renewed only where a merge touched it.
  struct Partner {
    int64_t size = -1;
    std::size_t group = 0;
  };
  std::vector<Partner> best(groups.size());
  const auto union_of = [&](std::size_t i, std::size_t j) -> int64_t {
    const Group &x = groups[i], &y = groups[j];
    if (x.merged || y.merged || x.columns.size() + y.columns.size() > static_cast<std::size_t>(options.alpha))
      return -1;
    const int64_t size = x.rows.union_size(y.rows);
    return x.nonzeros + y.nonzeros - size <= most_conflicts ? size : -1;
  };
  const auto renew = [&](std::size_t i) {
    best[i] = {};
    for (std::size_t j = i + 1; j < groups.size(); ++j) {
      if (const int64_t size = union_of(i, j); size > best[i].size) best[i] = {size, j};
    }
  };
  for (std::size_t i = 0; i < groups.size(); ++i) renew(i);
  for (;;) {
    std::size_t at = 0;
    for (std::size_t i = 1; i < best.size(); ++i) {
      if (best[i].size > best[at].size) at = i;
    }
    if (best.empty() || best[at].size < 0) break;
    const std::size_t other = best[at].group;
    groups[at].columns.insert(groups[at].columns.end(), groups[other].columns.begin(),
                              groups[other].columns.end());
    groups[at].rows.merge(groups[other].rows);
    groups[at].nonzeros += groups[other].nonzeros;
    groups[other].merged = true;
    best[other] = {};
    renew(at);
    for (std::size_t i = 0; i < groups.size(); ++i) {
      if (i == at || groups[i].merged) continue;
      if (best[i].size >= 0 && (best[i].group == at || best[i].group == other)) {
        renew(i);
      } else if (i < at) {
        if (const int64_t size = union_of(i, at); size > best[i].size) best[i] = {size, at};
      }
    }
  }
  ColumnGroups result;
  for (Group& g : groups) {
    if (g.merged) continue;
    std::sort(g.columns.begin(), g.columns.end());
    result.push_back(std::move(g.columns));
  }
  return result;
}

ColumnGroups group_in_order(const FilterMatrix& w, int alpha) {
  ColumnGroups groups(static_cast<std::size_t>((w.columns + alpha - 1) / alpha));
  for (int64_t c = 0; c < w.columns; ++c)
    groups[static_cast<std::size_t>(c) % groups.size()].push_back(static_cast<int32_t>(c));
  return groups;
}

void anneal_groups(const FilterMatrix& w, const CombineOptions& options, ColumnGroups& groups) {
  if (groups.size() < 2 || options.steps <= 0 || w.rows == 0) return;
  Columns columns(w);
  std::vector<double> kept(groups.size()), conflicts(groups.size());
  double all = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    columns.judge(groups[g], -1, -1, kept[g], conflicts[g]);
    all += kept[g];
  }
  const double budget = options.gamma * static_cast<double>(w.rows);
  // From accepting losses of about a weight's size to accepting none.
  const double mean = all / (static_cast<double>(groups.size()) * static_cast<double>(w.rows));
  const double hot = 0.7 * mean, cold = 0.1 * mean;
  if (!(hot > 0)) return;
  std::mt19937_64 random(options.seed);
  std::uniform_real_distribution<double> unit(0, 1);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int64_t step = 0; step < options.steps; ++step) {
    const double done = static_cast<double>(step) / static_cast<double>(options.steps);
    const double temperature = hot * std::pow(cold / hot, done);
    const std::size_t x = below(groups.size()), y = below(groups.size());
    if (x == y) continue;
    int32_t &a = groups[x][below(groups[x].size())], &b = groups[y][below(groups[y].size())];
    double kept_x, kept_y, conflicts_x, conflicts_y;
    columns.judge(groups[x], a, b, kept_x, conflicts_x);
    columns.judge(groups[y], b, a, kept_y, conflicts_y);
    if (conflicts_x > std::max(budget, conflicts[x]) || conflicts_y > std::max(budget, conflicts[y]))
      continue;
    const double gain = kept_x + kept_y - kept[x] - kept[y];
    if (gain < 0 && unit(random) >= std::exp(gain / temperature)) continue;
    std::swap(a, b);
    kept[x] = kept_x;
    kept[y] = kept_y;
    conflicts[x] = conflicts_x;
    conflicts[y] = conflicts_y;
  }
  for (auto& g : groups) std::sort(g.begin(), g.end());
}

FilterMatrix prune_conflicts(const FilterMatrix& w, const ColumnGroups& groups) {
  FilterMatrix out = w;
  for (const auto& group : groups) {
    for (int64_t r = 0; r < w.rows; ++r) {
      int32_t largest = group.front();
      for (const int32_t c : group) {
        if (std::abs(w.at(r, c)) > std::abs(w.at(r, largest))) largest = c;
      }
      for (const int32_t c : group) {
        if (c != largest) out.at(r, c) = 0;
      }
    }
  }
  return out;
}

Result<Combined> combine_columns(const FilterMatrix& w, const CombineOptions& options) {
  if (Status s = check(options); !s) return s.error();
  Combined result;
  if (options.gamma >= options.alpha) {
    result.groups = group_in_order(w, options.alpha);
  } else {
    Result<ColumnGroups> groups = group_greedily(w, options);
    if (!groups) return groups.error();
    result.groups = std::move(*groups);
  }
  anneal_groups(w, options, result.groups);
  result.weights = prune_conflicts(w, result.groups);
  const double before = magnitude(w);
  result.kept = before > 0 ? magnitude(result.weights) / before : 1;
  return result;
}

}  // namespace cortex
