// A format per layer: least magnitude lost within a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/result.h"

namespace cortex {

struct LayerOption {
  std::string format;
  double seconds = 0;  // of the layer in this format, all its occurrences together
  double lost = 0;     // magnitude
};

struct LayerOptions {
  std::string name;
  std::vector<LayerOption> options;
};

struct BudgetPlan {
  std::vector<int> choice;  // an option of each layer
  double seconds = 0, lost = 0;
};

// Dynamic programming over layers and used time. Time is counted in steps of budget/20000, rounded up: the
// plan never exceeds the budget, and leaves at most a step a layer unused. Refuses a layer without options,
// impossible numbers, and a budget that even the fastest options exceed.
Result<BudgetPlan> plan_budget(const std::vector<LayerOptions>& layers, double budget_seconds);

}  // namespace cortex
