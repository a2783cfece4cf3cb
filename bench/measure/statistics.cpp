#include "bench/measure/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace cortex::bench {

double median(std::vector<double> samples) {
  assert(!samples.empty());
  const std::size_t half = samples.size() / 2;
  std::nth_element(samples.begin(), samples.begin() + half, samples.end());
  const double upper = samples[half];
  if (samples.size() % 2 != 0) return upper;
  return 0.5 * (upper + *std::max_element(samples.begin(), samples.begin() + half));
}

double minimum(const std::vector<double>& samples) {
  assert(!samples.empty());
  return *std::min_element(samples.begin(), samples.end());
}

double geometric_mean(const std::vector<double>& positive) {
  assert(!positive.empty());
  double log_sum = 0;
  for (double x : positive) log_sum += std::log(x);
  return std::exp(log_sum / static_cast<double>(positive.size()));
}

}  // namespace cortex::bench
