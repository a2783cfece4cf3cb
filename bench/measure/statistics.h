// Medians, means and the like over samples.
#pragma once

#include <vector>

namespace cortex::bench {

// All take non-empty input.
double median(std::vector<double> samples);
double minimum(const std::vector<double>& samples);
double geometric_mean(const std::vector<double>& positive);

}  // namespace cortex::bench
