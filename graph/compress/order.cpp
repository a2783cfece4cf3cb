#include "graph/compress/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "graph/compress/prune.h"

namespace cortex {
namespace {

// What a group of rows keeps, from the sums of its rows' magnitudes.
class Judge {
 public:
  Judge(std::span<const FilterMatrix* const> matrices, const WeightFormat& format) : format_(format) {
    for (const FilterMatrix* w : matrices) {
      parts_.push_back({columns_, w->columns, w->channels});
      columns_ += w->columns;
    }
    rows_ = matrices[0]->rows;
    values_.resize(static_cast<std::size_t>(rows_ * columns_));
    for (std::size_t m = 0; m < matrices.size(); ++m) {
      const FilterMatrix& w = *matrices[m];
      for (int64_t r = 0; r < rows_; ++r)
        for (int64_t c = 0; c < w.columns; ++c)
          values_[static_cast<std::size_t>(r * columns_ + parts_[m].from + c)] = std::abs(w.at(r, c));
    }
  }

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  const float* row(int64_t r) const { return &values_[static_cast<std::size_t>(r * columns_)]; }

  // Blocks are kept where their mean is at least this: with the right one, groups can be judged one by one.
  void set_threshold(double mean) { threshold_ = static_cast<float>(mean); }
  // The mean that the last block kept has, of groups in this order.
  double threshold_of(const Order& order, double keep) const {
    std::vector<float> means;
    std::vector<float> sums(static_cast<std::size_t>(columns_));
    for (std::size_t first = 0; first < order.size(); first += static_cast<std::size_t>(format_.rows)) {
      const std::size_t last = std::min(order.size(), first + static_cast<std::size_t>(format_.rows));
      std::fill(sums.begin(), sums.end(), 0.0f);
      for (std::size_t i = first; i < last; ++i)
        for (int64_t c = 0; c < columns_; ++c) sums[static_cast<std::size_t>(c)] += row(order[i])[c];
      each_block(sums.data(), [&](float sum, int64_t columns) {
        means.push_back(sum / static_cast<float>(columns * static_cast<int64_t>(last - first)));
      });
    }
    const auto kept = std::clamp<int64_t>(std::llround(keep * static_cast<double>(means.size())), 1,
                                          static_cast<int64_t>(means.size()));
    std::nth_element(means.begin(), means.begin() + (kept - 1), means.end(), std::greater<>());
    return means[static_cast<std::size_t>(kept - 1)];
  }

  // `sums`: of `count` rows together.
  double kept(const float* sums, int64_t count) const {
    double all = 0;
    if (format_.structure == WeightStructure::blocks) {
      each_block(sums, [&](float sum, int64_t columns) {
        all += std::max(0.0f, sum - threshold_ * static_cast<float>(columns * count));
      });
      return all;
    }
    for (const Part& part : parts_) {
      for (int64_t tap = part.from; tap < part.from + part.columns; tap += part.channels) {
        for (int64_t c = 0; c < part.channels; c += format_.m) {
          const int64_t width = std::min<int64_t>(format_.m, part.channels - c);
          all += largest(sums + tap + c, width, (width * format_.n + format_.m - 1) / format_.m);
        }
      }
    }
    return all;
  }

 private:
  struct Part {
    int64_t from, columns, channels;
  };

  template <typename Visit>
  void each_block(const float* sums, Visit visit) const {
    for (const Part& part : parts_) {
      for (int64_t c = 0; c < part.columns; c += format_.cols) {
        const int64_t width = std::min<int64_t>(format_.cols, part.columns - c);
        visit(std::accumulate(sums + part.from + c, sums + part.from + c + width, 0.0f), width);
      }
    }
  }

  // Sum of the `count` largest of few values.
  static float largest(const float* v, int64_t size, int64_t count) {
    if (count >= size) return std::accumulate(v, v + size, 0.0f);
    float top[format_max_group];
    for (int64_t i = 0; i < count; ++i) top[i] = 0;  // descending
    for (int64_t i = 0; i < size; ++i) {
      float value = v[i];
      for (int64_t j = 0; j < count; ++j) {
        const float high = std::max(top[j], value);
        value = std::min(top[j], value);
        top[j] = high;
      }
    }
    return std::accumulate(top, top + count, 0.0f);
  }

  WeightFormat format_;
  std::vector<Part> parts_;
  int64_t rows_ = 0, columns_ = 0;
  std::vector<float> values_;
  float threshold_ = 0;
};

// Groups of rows with their sums; the last one may be smaller.
class Groups {
 public:
  Groups(const Judge& judge, int64_t together)
      : judge_(&judge), together_(together), sums_(static_cast<std::size_t>(judge.columns())), with_(sums_) {}

  // Every group begins with the largest row left and takes the row with which least is lost. Groups that lose
  // much wait for later sweeps: rows that are alike find each other first. `work`: weights to look at; where
  // there are more, a row is the best of fewer.
  void grow(double work) {
    const int64_t rows = judge_->rows();
    alone_.resize(static_cast<std::size_t>(rows));
    for (int64_t r = 0; r < rows; ++r) alone_[static_cast<std::size_t>(r)] = judge_->kept(judge_->row(r), 1);
    Order left = identity_order(rows);
    std::stable_sort(left.begin(), left.end(), [&](int32_t x, int32_t y) { return alone(x) > alone(y); });
    const double looks = static_cast<double>(rows * judge_->columns());
    const auto candidates = static_cast<std::size_t>(std::max(8.0, work / 4 / looks));
    groups_.clear();
    Order all = left;
    const double mean = sweep(all, HUGE_VAL, candidates) / static_cast<double>(groups_.size());
    groups_.clear();
    for (const double limit : {0.02 * mean, 0.5 * mean, HUGE_VAL}) sweep(left, limit, candidates);
  }

  // Two rows of different groups change places. Losses are taken at first, of a tenth of what an exchange
  // changes on average.
  void anneal(int64_t steps, std::mt19937_64& random) {
    if (groups_.size() < 2) return;
    std::vector<double> kept(groups_.size());
    for (std::size_t g = 0; g < groups_.size(); ++g) kept[g] = kept_of(groups_[g], -1, -1);
    const std::vector<std::vector<int32_t>> before = groups_;
    std::uniform_real_distribution<double> unit(0, 1);
    double changes = 0, all = 0;  // absolute, of the exchanges looked at first; of those made
    constexpr int64_t looked_at = 200;
    for (int64_t step = 0; step < steps; ++step) {
      const std::size_t x = random() % groups_.size(), y = random() % groups_.size();
      if (x == y) continue;
      int32_t &a = groups_[x][random() % groups_[x].size()], &b = groups_[y][random() % groups_[y].size()];
      const double kept_x = kept_of(groups_[x], a, b), kept_y = kept_of(groups_[y], b, a);
      const double gain = kept_x + kept_y - kept[x] - kept[y];
      if (step < looked_at) changes += std::abs(gain) / looked_at;
      const double done = static_cast<double>(step) / static_cast<double>(steps);
      const double heat = step < looked_at ? 0 : 0.1 * changes * std::pow(0.01, done);
      if (gain <= 0 && (heat == 0 || unit(random) >= std::exp(gain / heat))) continue;
      std::swap(a, b);
      kept[x] = kept_x;
      kept[y] = kept_y;
      all += gain;
    }
    if (all < 0) groups_ = before;
  }

  // Groups by their first row; the one that is smaller stays last.
  Order order() const {
    std::vector<std::vector<int32_t>> sorted = groups_;
    for (std::vector<int32_t>& group : sorted) std::sort(group.begin(), group.end());
    const bool rest = judge_->rows() % together_ != 0;
    std::sort(sorted.begin(), sorted.end() - (rest ? 1 : 0));
    Order order;
    for (const std::vector<int32_t>& group : sorted) order.insert(order.end(), group.begin(), group.end());
    return order;
  }

 private:
  double alone(int32_t row) const { return alone_[static_cast<std::size_t>(row)]; }

  // Takes groups that lose up to `limit` out of the rows left; returns what they lose together.
  double sweep(Order& left, double limit, std::size_t candidates) {
    double lost = 0;
    for (std::size_t seed = 0; seed < left.size();) {
      std::vector<std::size_t> members = {seed};  // places in `left`
      std::copy_n(judge_->row(left[seed]), sums_.size(), sums_.begin());
      double kept = alone(left[seed]), apart = kept;
      while (members.size() < static_cast<std::size_t>(together_) && members.size() < left.size()) {
        std::size_t best = 0, looked_at = 0;
        double best_kept = 0, least = HUGE_VAL;
        for (std::size_t i = 0; i < left.size() && looked_at < candidates; ++i) {
          if (std::find(members.begin(), members.end(), i) != members.end()) continue;
          ++looked_at;
          const double both = kept_with(left[i], static_cast<int64_t>(members.size()) + 1);
          if (kept + alone(left[i]) - both >= least) continue;
          least = kept + alone(left[i]) - both;
          best = i;
          best_kept = both;
        }
        const float* row = judge_->row(left[best]);
        for (std::size_t c = 0; c < sums_.size(); ++c) sums_[c] += row[c];
        kept = best_kept;
        apart += alone(left[best]);
        members.push_back(best);
      }
      const bool whole = members.size() == static_cast<std::size_t>(together_);
      if (limit < HUGE_VAL && (!whole || apart - kept > limit)) {
        ++seed;
        continue;
      }
      lost += apart - kept;
      groups_.emplace_back();
      for (const std::size_t i : members) groups_.back().push_back(left[i]);
      std::sort(members.begin(), members.end(), std::greater<>());
      for (const std::size_t i : members) {
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
        if (i < seed) --seed;
      }
    }
    return lost;
  }
  double kept_with(int32_t row, int64_t count) {
    const float* v = judge_->row(row);
    for (std::size_t c = 0; c < sums_.size(); ++c) with_[c] = sums_[c] + v[c];
    return judge_->kept(with_.data(), count);
  }
  // Of a group in which `with` stands for `without`.
  double kept_of(const std::vector<int32_t>& group, int32_t without, int32_t with) {
    std::fill(with_.begin(), with_.end(), 0.0f);
    for (const int32_t r : group) {
      const float* v = judge_->row(r == without ? with : r);
      for (std::size_t c = 0; c < with_.size(); ++c) with_[c] += v[c];
    }
    return judge_->kept(with_.data(), static_cast<int64_t>(group.size()));
  }

  const Judge* judge_;
  int64_t together_;
  std::vector<float> sums_, with_;
  std::vector<double> alone_;
  std::vector<std::vector<int32_t>> groups_;
};

}  // namespace

Order identity_order(int64_t size) {
  Order order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Order compose(const Order& first, const Order& second) {
  Order order;
  for (const int32_t i : second) order.push_back(first[static_cast<std::size_t>(i)]);
  return order;
}

FilterMatrix reorder_rows(const FilterMatrix& w, const Order& order) {
  FilterMatrix out = w;
  for (int64_t r = 0; r < w.rows; ++r)
    for (int64_t c = 0; c < w.columns; ++c) out.at(r, c) = w.at(order[static_cast<std::size_t>(r)], c);
  return out;
}

FilterMatrix reorder_channels(const FilterMatrix& w, const Order& order) {
  FilterMatrix out = w;
  for (int64_t r = 0; r < w.rows; ++r) {
    for (int64_t tap = 0; tap < w.columns; tap += w.channels)
      for (int64_t c = 0; c < w.channels; ++c)
        out.at(r, tap + c) = w.at(r, tap + order[static_cast<std::size_t>(c)]);
  }
  return out;
}

int rows_together(const WeightFormat& f) {
  return f.structure == WeightStructure::nm ? f.t : f.structure == WeightStructure::blocks ? f.rows : 1;
}

Result<Order> order_rows(std::span<const FilterMatrix* const> weights, const WeightFormat& format,
                         double keep, const OrderOptions& options) {
  if (weights.empty()) return invalid_argument("an order of rows: of no weights");
  const int64_t rows = weights[0]->rows, together = rows_together(format);
  for (const FilterMatrix* w : weights) {
    if (w->rows != rows)
      return invalid_argument(
          fmt::format("an order of rows for all: some weights have {}, some {}", rows, w->rows));
  }
  const Order identity = identity_order(rows);
  if (together == 1 || rows <= together) return identity;
  const auto kept = [&](const Order& order) -> Result<double> {
    double sum = 0;
    for (const FilterMatrix* w : weights) {
      const Result<FilterMatrix> pruned = prune(reorder_rows(*w, order), format, keep);
      if (!pruned) return pruned.error();
      sum += magnitude(*pruned);
    }
    return sum;
  };
  const Result<double> before = kept(identity);
  if (!before) return before.error();

  Judge judge(weights, format);
  const bool blocks = format.structure == WeightStructure::blocks;
  // The best order so far, by what it really keeps: thresholds judge blocks in part.
  Order best = identity;
  double best_kept = *before;
  Groups groups(judge, together);
  const auto improves = [&]() -> Result<bool> {
    const Order order = groups.order();
    const Result<double> now = kept(order);
    if (!now) return now.error();
    if (*now <= best_kept * (1 + 1e-9)) return false;
    best_kept = *now;
    best = order;
    return true;
  };
  // Zeros that are there already show with a low threshold, what is large with the right one.
  const double threshold = blocks ? judge.threshold_of(identity, keep) : 0;
  Groups grown(judge, together);
  for (const double factor : blocks ? std::vector<double>{1, 0.01} : std::vector<double>{1}) {
    judge.set_threshold(factor * threshold);
    groups.grow(options.work / (blocks ? 4 : 2));
    const Result<bool> better = improves();
    if (!better) return better.error();
    if (*better || factor == 1) grown = groups;
  }
  groups = std::move(grown);
  std::mt19937_64 random(options.seed);
  // A step looks at every column of two groups.
  const double most = options.work / 2 / static_cast<double>(2 * together * judge.columns());
  const auto steps = static_cast<int64_t>(std::min(most, 1000.0 * static_cast<double>(rows)));
  const int rounds = blocks ? 4 : 1;
  for (int round = 0; round < rounds; ++round) {
    if (blocks) judge.set_threshold(judge.threshold_of(groups.order(), keep));
    groups.anneal(steps / rounds, random);
    if (const Result<bool> better = improves(); !better) return better.error();
  }
  return best;
}

}  // namespace cortex
