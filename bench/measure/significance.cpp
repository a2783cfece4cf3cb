#include "bench/measure/significance.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace cortex::bench {
namespace {

// P(U <= u) when all orderings of n1 + n2 distinct values are equally likely: counts the ways to choose n1
// ranks with a given rank sum, by the textbook recurrence over the largest rank.
double exact_cdf(std::size_t n1, std::size_t n2, std::size_t u) {
  const std::size_t top = n1 * n2;
  // ways[i][v]: subsets of size i of the ranks so far whose U is v; values stay below 2^53 or lose only
  // relative precision.
  std::vector<std::vector<double>> ways(n1 + 1, std::vector<double>(top + 1, 0.0));
  ways[0][0] = 1;
  for (std::size_t rank = 1; rank <= n1 + n2; ++rank) {
    for (std::size_t i = std::min(rank, n1); i >= 1; --i) {
      const std::size_t shift = rank - i;  // values of b below this one
      if (shift > n2) continue;
      for (std::size_t v = top + 1; v-- > shift;) ways[i][v] += ways[i - 1][v - shift];
    }
  }
  double below = 0, all = 0;
  for (std::size_t v = 0; v <= top; ++v) {
    all += ways[n1][v];
    if (v <= u) below += ways[n1][v];
  }
  return below / all;
}

struct LogMoments {
  double mean = 0, variance_of_mean = 0;
};

LogMoments log_moments(const std::vector<double>& samples) {
  const double n = static_cast<double>(samples.size());
  LogMoments m;
  for (double x : samples) m.mean += std::log(x) / n;
  for (double x : samples) m.variance_of_mean += std::pow(std::log(x) - m.mean, 2) / (n * (n - 1));
  return m;
}

}  // namespace

double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b) {
  const std::size_t n1 = a.size(), n2 = b.size();
  if (n1 == 0 || n2 == 0) return 1;
  std::vector<double> all = a;
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());

  double rank_sum = 0, tie_term = 0;
  for (double x : a) {
    const auto range = std::equal_range(all.begin(), all.end(), x);
    rank_sum += 0.5 * static_cast<double>((range.first - all.begin()) + 1 + (range.second - all.begin()));
  }
  for (auto it = all.begin(); it != all.end();) {
    const auto next = std::upper_bound(it, all.end(), *it);
    const double t = static_cast<double>(next - it);
    tie_term += t * t * t - t;
    it = next;
  }
  const double d1 = static_cast<double>(n1), d2 = static_cast<double>(n2), n = d1 + d2;
  const double u1 = rank_sum - d1 * (d1 + 1) / 2;
  const double u = std::min(u1, d1 * d2 - u1);
  if (tie_term == 0 && n1 * n2 <= 900) {
    return std::min(1.0, 2 * exact_cdf(n1, n2, static_cast<std::size_t>(u + 0.5)));
  }
  const double variance = d1 * d2 / 12 * (n + 1 - tie_term / (n * (n - 1)));
  if (variance <= 0) return 1;
  const double z = std::max(0.0, std::abs(u1 - d1 * d2 / 2) - 0.5) / std::sqrt(variance);
  return 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), z));
}

double welch_p(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() < 2 || b.size() < 2) return 1;
  const LogMoments ma = log_moments(a), mb = log_moments(b);
  const double variance = ma.variance_of_mean + mb.variance_of_mean;
  if (variance <= 0) return ma.mean == mb.mean ? 1 : 0;
  const double freedom = variance * variance /
                         (ma.variance_of_mean * ma.variance_of_mean / static_cast<double>(a.size() - 1) +
                          mb.variance_of_mean * mb.variance_of_mean / static_cast<double>(b.size() - 1));
  const double t = std::abs(ma.mean - mb.mean) / std::sqrt(variance);
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(freedom), t));
}

}  // namespace cortex::bench
