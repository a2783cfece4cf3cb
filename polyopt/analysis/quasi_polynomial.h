// Counts as functions of parameters: quasi-polynomials, found by interpolation and checked at further points.
//
// The number of integer points of a parametric polytope is a quasi-polynomial in its parameters as long as
// its vertices keep their shape (Ehrhart; Clauss 1996): one polynomial for each residue of the parameters
// modulo a period. Here the period is searched, the polynomial interpolated in Newton's form, whose
// coefficients are integers, and the result compared with the count itself at points that took no part.
// A range short enough is compared in full, which is proof; otherwise that is said.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/result.h"

namespace cortex {

struct ParameterRange {
  int64_t lo = 0, hi = 0;  // both included
};

using Parameters = std::vector<int64_t>;
using ParametricFunction = std::function<Result<int64_t>(const Parameters&)>;

struct InterpolationLimits {
  int degree = 3;            // of each parameter: at most the dims of the set
  int max_period = 12;       // periods 1, 2, ... are tried
  int64_t exhaustive = 512;  // ranges of at most that many points are checked in full
  int random_points = 64;    // checked otherwise, besides corners and neighbours of the grid
  unsigned seed = 1;
  int64_t max_evaluations = 20000;
};

class QuasiPolynomial {
 public:
  // Refuses outside the ranges it was checked on, and on overflow.
  Result<int64_t> operator()(const Parameters& at) const;

  int period() const { return period_; }
  int64_t checked_points() const { return checked_; }  // that took no part in the interpolation
  bool proved() const { return proved_; }              // every point of the ranges was compared
  std::string describe() const;  // "quasi-polynomial of period 2, checked at 73 more points"

 private:
  friend Result<QuasiPolynomial> interpolate(const ParametricFunction&, const std::vector<ParameterRange>&,
                                             const InterpolationLimits&);
  std::vector<ParameterRange> ranges_;
  int period_ = 1, degree_ = 0;
  std::vector<std::vector<int64_t>> differences_;  // by residue: mixed forward differences, order by order
  int64_t checked_ = 0;
  bool proved_ = false;
};

// Refuses, naming the first point that disagrees, when no period within the limits fits: the caller then
// counts one point at a time.
Result<QuasiPolynomial> interpolate(const ParametricFunction& f, const std::vector<ParameterRange>& ranges,
                                    const InterpolationLimits& limits = {});

}  // namespace cortex
