#include "graph/compress/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cortex {
namespace {

constexpr int histogram_bins = 2048;

// Divergence of `levels` integers that cover the first `used` bins from the distribution in them, where what
// lies beyond saturates into the last.
double divergence(const std::vector<double>& histogram, int used, int levels, double beyond) {
  double total = beyond;
  for (int i = 0; i < used; ++i) total += histogram[static_cast<std::size_t>(i)];
  double sum = 0, covered = 0;
  std::vector<double> q(static_cast<std::size_t>(used));
  for (int level = 0; level < levels; ++level) {
    const auto first = static_cast<std::size_t>(static_cast<int64_t>(level) * used / levels);
    const auto last = static_cast<std::size_t>(static_cast<int64_t>(level + 1) * used / levels);
    double mass = 0;
    int filled = 0;
    for (std::size_t i = first; i < last; ++i) {
      mass += histogram[i];
      filled += histogram[i] > 0;
    }
    if (filled == 0) continue;
    covered += mass;
    for (std::size_t i = first; i < last; ++i) q[i] = histogram[i] > 0 ? mass / filled : 0;
  }
  if (!(total > 0) || !(covered > 0)) return HUGE_VAL;
  for (std::size_t i = 0; i < q.size(); ++i) {
    const double p = histogram[i] + (i + 1 == q.size() ? beyond : 0);
    if (p <= 0) continue;
    // A saturated last bin that was empty before: as little as one value's share.
    const double r = std::max(q[i] / covered, 1e-3 / total);
    sum += p / total * std::log(p / total / r);
  }
  return sum;
}

}  // namespace

Result<Calibration> parse_calibration(std::string_view text) {
  if (text == "minmax") return Calibration::min_max;
  if (text == "entropy") return Calibration::entropy;
  return invalid_argument(fmt::format("'{}' is not one of minmax, entropy", text));
}

double entropy_threshold(std::span<const float> magnitudes, int levels) {
  float most = 0;
  for (float v : magnitudes) most = std::max(most, v);
  if (!(most > 0)) return 0;
  std::vector<double> histogram(histogram_bins);
  for (float v : magnitudes) {
    if (v == 0) continue;  // zero is exact at any scale
    const auto bin = static_cast<int64_t>(static_cast<double>(v) / most * histogram_bins);
    histogram[static_cast<std::size_t>(std::min<int64_t>(bin, histogram_bins - 1))] += 1;
  }
  double best = HUGE_VAL, beyond = 0;
  int best_used = histogram_bins;
  for (int used = histogram_bins; used >= levels; --used) {
    const double d = divergence(histogram, used, levels, beyond);
    if (d < best) {
      best = d;
      best_used = used;
    }
    beyond += histogram[static_cast<std::size_t>(used - 1)];
  }
  return static_cast<double>(most) * best_used / histogram_bins;
}

Quantized quantize_weights(const FilterMatrix& w, Calibration calibration) {
  Quantized out;
  out.integers.reserve(w.values.size());
  std::vector<float> row(static_cast<std::size_t>(w.columns));
  for (int64_t r = 0; r < w.rows; ++r) {
    for (int64_t c = 0; c < w.columns; ++c) row[static_cast<std::size_t>(c)] = std::abs(w.at(r, c));
    const double most = calibration == Calibration::entropy ? entropy_threshold(row, 127)
                                                            : *std::max_element(row.begin(), row.end());
    // Of denormal weights it can round to 0, which would divide by it: then they round to 0 themselves.
    const auto exact = static_cast<float>(most / 127);
    const float scale = exact > 0 ? exact : 1.0f;
    out.scales.push_back(scale);
    for (int64_t c = 0; c < w.columns; ++c) {
      const float rounded = std::nearbyint(w.at(r, c) / scale);
      out.integers.push_back(static_cast<int8_t>(std::clamp(rounded, -127.0f, 127.0f)));
    }
  }
  return out;
}

ActivationScale calibrate_activations(std::span<const float> values, Calibration calibration) {
  float low = 0, high = 0;
  std::vector<float> above, below;
  for (float v : values) {
    low = std::min(low, v);
    high = std::max(high, v);
    if (calibration == Calibration::entropy) (v < 0 ? below : above).push_back(std::abs(v));
  }
  if (calibration == Calibration::entropy && high > low) {
    // Both sides share the 255 steps in the ratio of their ranges.
    const auto levels = [&](float side) {
      return std::clamp(static_cast<int>(std::lround(255.0 * side / (high - low))), 8, 255);
    };
    if (high > 0) high = static_cast<float>(entropy_threshold(above, levels(high)));
    if (low < 0) low = -static_cast<float>(entropy_threshold(below, levels(-low)));
  }
  ActivationScale a;
  if (!(high > low)) return a;
  a.scale = (high - low) / 255;
  a.zero_point = static_cast<int32_t>(std::clamp(std::nearbyint(-low / a.scale), 0.0f, 255.0f));
  return a;
}

}  // namespace cortex
