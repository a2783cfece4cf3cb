// A random problem with a random way to run it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/reference/operands.h"
#include "graph/compress/format.h"
#include "graph/problem/problem.h"
#include "graph/problem/typed.h"

namespace cortex::bench {

enum class ActivationLayout { native, nhwc, nchw };
enum class WeightsLayout { as_problem, oihw, hwio, ghwio, kn, nk };

struct FuzzCase {
  Problem problem;
  int threads = 1;
  ActivationLayout src = ActivationLayout::native, dst = ActivationLayout::native;
  WeightsLayout weights = WeightsLayout::as_problem;
  bool plain = false;   // weights not packed ahead of time
  WeightFormat zeros;   // of the weights, which the plan may leave out; dense: it knows of none
  double sparsity = 0;  // share of zeros where the format leaves it open; 1: all
  int share = 0;        // cortex_plan_options.sparse_share
  bool residual_in_place = false;
  uint64_t guards = 0;  // bit i: operand i lies before its guard page, else after
  uint64_t seed = 0;    // of the operands
};

// What cases are drawn from. Op any mixes both kinds; types are of source, weights and destination, none:
// f32.
struct FuzzSpace {
  OpKind op = OpKind::any;
  std::vector<Types> types;
  std::vector<std::optional<WeightFormat>> zeros;  // none: dense; an empty one: any format
};

// The case `index` of `seed`.
FuzzCase random_case(uint64_t seed, int64_t index, const FuzzSpace& space);

std::string describe(const FuzzCase& c);  // the problem's text and the options, for a failure report

}  // namespace cortex::bench
