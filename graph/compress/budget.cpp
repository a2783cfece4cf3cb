#include "graph/compress/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cortex {
namespace {

constexpr int steps = 20000;

Status check(const std::vector<LayerOptions>& layers, double budget) {
  if (!(budget > 0 && std::isfinite(budget)))
    return invalid_argument(fmt::format("budget of {} seconds: must be above 0", budget));
  double together = 0;
  for (const LayerOptions& layer : layers) {
    if (layer.options.empty())
      return invalid_argument(fmt::format("layer {}: no format to choose from", layer.name));
    double least = HUGE_VAL;
    for (const LayerOption& o : layer.options) {
      if (!(o.seconds > 0 && std::isfinite(o.seconds)) || !(o.lost >= 0 && std::isfinite(o.lost))) {
        return invalid_argument(
            fmt::format("layer {}, format {}: {} seconds, {} lost: both must be finite, time above 0",
                        layer.name, o.format, o.seconds, o.lost));
      }
      least = std::min(least, o.seconds);
    }
    together += least;
  }
  if (together > budget) {
    return invalid_argument(fmt::format(
        "a budget of {:.6g} ms cannot be kept: the fastest formats of all layers take {:.6g} ms together",
        budget * 1e3, together * 1e3));
  }
  return Status::success();
}

// The option that `better(x, y)` prefers to all others.
template <typename Better>
int best_option(const LayerOptions& layer, Better better) {
  const auto best = std::min_element(layer.options.begin(), layer.options.end(), better);
  return static_cast<int>(best - layer.options.begin());
}

int fastest(const LayerOptions& layer) {
  return best_option(layer, [](const auto& x, const auto& y) { return x.seconds < y.seconds; });
}

// The plan that loses least if time were no matter.
BudgetPlan unhurried(const std::vector<LayerOptions>& layers) {
  BudgetPlan plan;
  for (const LayerOptions& layer : layers) {
    plan.choice.push_back(best_option(layer, [](const auto& x, const auto& y) {
      return x.lost != y.lost ? x.lost < y.lost : x.seconds < y.seconds;
    }));
    const LayerOption& option = layer.options[static_cast<std::size_t>(plan.choice.back())];
    plan.seconds += option.seconds;
    plan.lost += option.lost;
  }
  return plan;
}

}  // namespace

Result<BudgetPlan> plan_budget(const std::vector<LayerOptions>& layers, double budget) {
  if (Status s = check(layers, budget); !s) return s.error();
  // Rounding must not keep this one out where it just fits.
  if (BudgetPlan plan = unhurried(layers); plan.seconds <= budget) return plan;
  const double step = budget / steps;
  const auto steps_of = [&](const LayerOption& o) {
    return static_cast<int64_t>(std::ceil(o.seconds / step));
  };
  // Least magnitude lost by the layers so far in at most t steps.
  std::vector<double> now(steps + 1, 0.0), next(steps + 1);
  std::vector<std::vector<int16_t>> choice(layers.size(), std::vector<int16_t>(steps + 1, -1));
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::fill(next.begin(), next.end(), HUGE_VAL);
    for (std::size_t o = 0; o < layers[l].options.size(); ++o) {
      const LayerOption& option = layers[l].options[o];
      const int64_t taken = steps_of(option);
      for (int64_t t = taken; t <= steps; ++t) {
        const double lost = now[static_cast<std::size_t>(t - taken)] + option.lost;
        double& best = next[static_cast<std::size_t>(t)];
        if (!(lost < best)) continue;
        best = lost;
        choice[l][static_cast<std::size_t>(t)] = static_cast<int16_t>(o);
      }
    }
    std::swap(now, next);
  }
  BudgetPlan plan;
  plan.choice.resize(layers.size());
  int64_t t = steps;
  const bool tight = now[steps] == HUGE_VAL;  // rounding leaves no plan: the fastest formats keep the budget
  for (std::size_t l = layers.size(); l-- > 0;) {
    const int o = tight ? fastest(layers[l]) : choice[l][static_cast<std::size_t>(t)];
    plan.choice[l] = o;
    const LayerOption& option = layers[l].options[static_cast<std::size_t>(o)];
    plan.seconds += option.seconds;
    plan.lost += option.lost;
    t -= steps_of(option);
  }
  return plan;
}

}  // namespace cortex
