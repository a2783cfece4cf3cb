#include "polyopt/isl/parametric_count.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyopt/isl/count.h"

namespace cortex {

using namespace polyhedral;

struct ParametricCount::State {
  Context context{2'000'000};  // a count is one of many
  Set set;

  Result<int64_t> count(const Parameters& parameters) const {
    context.restart();
    Set fixed = set;
    for (std::size_t j = 0; j < parameters.size(); ++j) {
      Val value(isl_val_int_from_si(context.get(), parameters[j]));
      fixed =
          call(isl_set_fix_val, std::move(fixed), isl_dim_param, static_cast<unsigned>(j), std::move(value));
    }
    fixed = call(isl_set_project_out, std::move(fixed), isl_dim_param, 0u,
                 static_cast<unsigned>(parameters.size()));
    const Result<Count> n =
        count_points(context, fixed, fmt::format("points at ({})", fmt::join(parameters, ",")));
    if (!n) return n.error();
    return n->elements;
  }
};

ParametricCount::ParametricCount(std::unique_ptr<State> state) : state_(std::move(state)) {}
ParametricCount::ParametricCount(ParametricCount&&) noexcept = default;
ParametricCount& ParametricCount::operator=(ParametricCount&&) noexcept = default;
ParametricCount::~ParametricCount() = default;

Result<ParametricCount> ParametricCount::make(const std::string& set,
                                              const std::vector<ParameterRange>& ranges,
                                              InterpolationLimits limits) {
  ParametricCount result(std::make_unique<State>());
  State& state = *result.state_;
  state.set = state.context.set(set);
  if (!state.set) return state.context.refusal(fmt::format("set {}", set));
  const isl_size parameters = isl_set_dim(state.set.get(), isl_dim_param);
  const isl_size dims = isl_set_dim(state.set.get(), isl_dim_set);
  if (parameters != std::ssize(ranges)) {
    return invalid_argument(
        fmt::format("set {}: {} ranges for {} parameters", set, ranges.size(), static_cast<int>(parameters)));
  }
  result.ranges_ = ranges;
  limits.degree = static_cast<int>(dims);
  const ParametricFunction count = [&state](const Parameters& at) { return state.count(at); };
  Result<QuasiPolynomial> formula = interpolate(count, ranges, limits);
  if (formula) {
    result.how_ = formula->describe();
    result.formula_ = std::move(*formula);
  } else {
    result.how_ = fmt::format("counted point by point: {}", formula.error().message);
  }
  return result;
}

Result<int64_t> ParametricCount::at(const Parameters& parameters) const {
  if (parameters.size() != ranges_.size()) {
    return invalid_argument(
        fmt::format("points at ({}): {} parameters", fmt::join(parameters, ","), ranges_.size()));
  }
  bool inside = formula_.has_value();
  for (std::size_t j = 0; j < parameters.size(); ++j) {
    inside = inside && ranges_[j].lo <= parameters[j] && parameters[j] <= ranges_[j].hi;
  }
  return inside ? (*formula_)(parameters) : state_->count(parameters);
}

}  // namespace cortex
