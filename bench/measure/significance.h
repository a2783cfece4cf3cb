// Do two sets of timings differ? Two tests, two-sided p-values.
#pragma once

#include <vector>

namespace cortex::bench {

// Mann-Whitney U: rank based, so that outliers and the long right tail of timings do not matter. Exact null
// distribution for small samples without ties, else the normal approximation with tie and continuity
// correction (Hollander and Wolfe, Nonparametric Statistical Methods, ch. 4). 1 when either set is empty.
double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b);

// Welch's t on the logarithms (speed ratios, unequal variances). 1 when either set has fewer than 2 samples.
double welch_p(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace cortex::bench
