#include "polyopt/analysis/quasi_polynomial.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <map>
#include <optional>
#include <random>

#include "support/checked.h"

namespace cortex {
namespace {

// Calls visit with every vector of `rank` digits below `base`, last digit fastest.
template <typename Visit>
void count_up(std::size_t rank, int base, const Visit& visit) {
  std::vector<int> digits(rank);
  while (true) {
    visit(digits);
    std::size_t j = rank;
    while (j > 0 && ++digits[j - 1] == base) digits[--j] = 0;
    if (j == 0) return;
  }
}

__extension__ using Wide = __int128;

// q over i from q over i - 1; nullopt when 64 bits do not hold it.
std::optional<int64_t> next_binomial(const std::optional<int64_t>& before, int64_t q, int i) {
  if (!before) return std::nullopt;
  const Wide value = static_cast<Wide>(*before) * std::max<int64_t>(0, q - i + 1) / i;
  if (value > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(value);
}

// Forward differences along the axis whose neighbours are `stride` apart, in place; false on overflow.
bool difference(std::vector<int64_t>& values, std::size_t stride, int size) {
  for (std::size_t first = 0; first < values.size(); ++first) {
    if (first / stride % static_cast<std::size_t>(size) != 0) continue;
    for (int order = 1; order < size; ++order) {
      for (int k = size - 1; k >= order; --k) {
        int64_t& x = values[first + static_cast<std::size_t>(k) * stride];
        if (__builtin_sub_overflow(x, values[first + static_cast<std::size_t>(k - 1) * stride], &x))
          return false;
      }
    }
  }
  return true;
}

// The function with its values remembered and its calls limited.
class Sampler {
 public:
  Sampler(const ParametricFunction& f, int64_t limit) : f_(f), limit_(limit) {}

  Result<int64_t> operator()(const Parameters& at) {
    if (const auto known = known_.find(at); known != known_.end()) return known->second;
    if (std::ssize(known_) >= limit_) {
      return unsupported(fmt::format("interpolation: more than {} points to count", limit_));
    }
    const Result<int64_t> value = f_(at);
    if (value) known_.emplace(at, *value);
    return value;
  }

 private:
  const ParametricFunction& f_;
  int64_t limit_;
  std::map<Parameters, int64_t> known_;
};

// Points to compare at: all of them, or corners, the far neighbours of the grid and random ones.
std::vector<Parameters> check_points(const std::vector<ParameterRange>& ranges,
                                     const InterpolationLimits& limits, int period, bool& all) {
  std::optional<int64_t> number = 1;
  for (const ParameterRange& r : ranges) number = number ? checked_mul(*number, r.hi - r.lo + 1) : number;
  all = number && *number <= limits.exhaustive;
  std::vector<Parameters> points;
  if (all) {
    for (int64_t i = 0; i < *number; ++i) {
      Parameters at;
      int64_t rest = i;
      for (const ParameterRange& r : ranges) {
        at.push_back(r.lo + rest % (r.hi - r.lo + 1));
        rest /= r.hi - r.lo + 1;
      }
      points.push_back(std::move(at));
    }
    return points;
  }
  count_up(ranges.size(), 2, [&](const std::vector<int>& corner) {
    Parameters at;
    for (std::size_t j = 0; j < ranges.size(); ++j) at.push_back(corner[j] ? ranges[j].hi : ranges[j].lo);
    points.push_back(std::move(at));
  });
  // Every residue once more, one step beyond the grid and at the far end.
  for (std::size_t j = 0; j < ranges.size(); ++j) {
    for (int r = 0; r < period; ++r) {
      Parameters near, far;
      for (const ParameterRange& range : ranges) {
        near.push_back(range.lo);
        far.push_back(range.hi);
      }
      near[j] += r + static_cast<int64_t>(period) * (limits.degree + 1);
      far[j] -= r;
      if (near[j] <= ranges[j].hi) points.push_back(near);
      points.push_back(far);
    }
  }
  std::mt19937_64 random(limits.seed);
  for (int i = 0; i < limits.random_points; ++i) {
    Parameters at;
    for (const ParameterRange& r : ranges)
      at.push_back(std::uniform_int_distribution<int64_t>(r.lo, r.hi)(random));
    points.push_back(std::move(at));
  }
  return points;
}

}  // namespace

Result<int64_t> QuasiPolynomial::operator()(const Parameters& at) const {
  if (at.size() != ranges_.size()) {
    return invalid_argument(fmt::format("count at ({}): {} parameters", fmt::join(at, ","), ranges_.size()));
  }
  std::size_t residue = 0;
  std::vector<std::vector<std::optional<int64_t>>> basis;  // by parameter: q over 0, q over 1, ...
  for (std::size_t j = 0; j < at.size(); ++j) {
    if (at[j] < ranges_[j].lo || at[j] > ranges_[j].hi) {
      return invalid_argument(fmt::format("count at ({}): checked for {} to {} only", fmt::join(at, ","),
                                          ranges_[j].lo, ranges_[j].hi));
    }
    const int64_t from = at[j] - ranges_[j].lo, q = from / period_;
    residue = residue * static_cast<std::size_t>(period_) + static_cast<std::size_t>(from % period_);
    basis.push_back({1});
    for (int i = 1; i <= degree_; ++i) {
      basis[j].push_back(next_binomial(basis[j].back(), q, i));
    }
  }
  const std::vector<int64_t>& differences = differences_[residue];
  std::optional<int64_t> sum = 0;
  std::size_t next = 0;
  count_up(at.size(), degree_ + 1, [&](const std::vector<int>& order) {
    std::optional<int64_t> term = differences[next++];
    if (*term == 0) return;  // orders beyond the true degree
    for (std::size_t j = 0; j < order.size(); ++j) {
      const std::optional<int64_t>& factor = basis[j][static_cast<std::size_t>(order[j])];
      term = term && factor ? checked_mul(*term, *factor) : std::nullopt;
    }
    sum = sum && term ? checked_add(*sum, *term) : std::nullopt;
  });
  if (!sum) return overflow_error(fmt::format("count at ({}): 64 bits overflow", fmt::join(at, ",")));
  return *sum;
}

std::string QuasiPolynomial::describe() const {
  return fmt::format("quasi-polynomial of period {}, {}", period_,
                     proved_ ? "equal to the count at every point of the range"
                             : fmt::format("checked at {} further points", checked_));
}

Result<QuasiPolynomial> interpolate(const ParametricFunction& f, const std::vector<ParameterRange>& ranges,
                                    const InterpolationLimits& limits) {
  if (ranges.empty() || limits.degree < 0)
    return invalid_argument("interpolation: no parameter, or no degree");
  Sampler sample(f, limits.max_evaluations);
  std::string why = "no period was tried";
  for (int period = 1; period <= limits.max_period; ++period) {
    QuasiPolynomial p;
    p.ranges_ = ranges;
    p.period_ = period;
    p.degree_ = limits.degree;
    std::optional<Error> error;
    for (const ParameterRange& r : ranges) {
      if (r.hi - r.lo + 1 >= static_cast<int64_t>(period) * (limits.degree + 1)) continue;
      return unsupported(fmt::format("interpolation: {}; the range {} to {} is too short for period {}", why,
                                     r.lo, r.hi, period));
    }
    count_up(ranges.size(), period, [&](const std::vector<int>& residue) {
      std::vector<int64_t> values;
      count_up(ranges.size(), limits.degree + 1, [&](const std::vector<int>& step) {
        Parameters at;
        for (std::size_t j = 0; j < ranges.size(); ++j)
          at.push_back(ranges[j].lo + residue[j] + period * step[j]);
        const Result<int64_t> value = error ? Result<int64_t>(*error) : sample(at);
        if (!value) error = value.error();
        values.push_back(value ? *value : 0);
      });
      std::size_t stride = 1;
      for (std::size_t j = 0; j < ranges.size(); ++j, stride *= static_cast<std::size_t>(limits.degree + 1)) {
        if (!difference(values, stride, limits.degree + 1)) error = overflow_error("interpolation: overflow");
      }
      p.differences_.push_back(std::move(values));
    });
    if (error) return *error;
    bool fits = true;
    for (const Parameters& at : check_points(ranges, limits, period, p.proved_)) {
      const Result<int64_t> counted = sample(at);
      if (!counted) return counted.error();
      const Result<int64_t> computed = p(at);
      ++p.checked_;
      if (computed && *computed == *counted) continue;
      why = fmt::format("period {} fails at ({})", period, fmt::join(at, ","));
      fits = false;
      break;
    }
    if (fits) return p;
  }
  return unsupported(fmt::format("interpolation: {}: no quasi-polynomial of degree {} and period up to {}",
                                 why, limits.degree, limits.max_period));
}

}  // namespace cortex
