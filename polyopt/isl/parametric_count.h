// How many points a parametric set has, as a function of its parameters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "polyopt/analysis/quasi_polynomial.h"

namespace cortex {

// By interpolation where it holds, else point by point; how() says which, and why. Not thread-safe.
class ParametricCount {
 public:
  // `set` in isl's language: "[n] -> { [i, j] : 0 <= i < n and 0 <= j <= i }". The ranges are those of its
  // parameters in the order it lists them.
  static Result<ParametricCount> make(const std::string& set, const std::vector<ParameterRange>& ranges,
                                      InterpolationLimits limits = {});
  ParametricCount(ParametricCount&&) noexcept;
  ParametricCount& operator=(ParametricCount&&) noexcept;
  ~ParametricCount();

  // Exact. Outside the ranges by counting.
  Result<int64_t> at(const Parameters& parameters) const;
  bool interpolated() const { return formula_.has_value(); }
  const std::string& how() const { return how_; }

 private:
  struct State;
  explicit ParametricCount(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
  std::optional<QuasiPolynomial> formula_;
  std::vector<ParameterRange> ranges_;
  std::string how_;
};

}  // namespace cortex
