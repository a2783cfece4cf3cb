// Fits the cost model's constants to recorded variants.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/rank/ranking.h"
#include "polyopt/machine/machine.h"
#include "support/result.h"

namespace cortex::bench {

struct FitOptions {
  double seconds = 60;
  std::vector<std::string> fixed;  // constants to leave as they are
  std::function<void(double done, double loss)> progress;
};

struct Fit {
  Costs costs;
  double loss_before = 0, loss_after = 0;
};

// Coordinate descent on the logarithms of the constants, from the machine's own, and again from the best so
// far with some of them moved at random, until the time is up (0: once); deterministic but for that. The loss
// of a problem is the spread of predicted over measured time, variants near the best weighing most, and what
// is lost, on average, by taking variants predicted within about one percent of the least; a small penalty
// holds constants that hardly matter where they were.
Result<Fit> fit_costs(const std::vector<Ranking>& rankings, const Machine& machine,
                      const FitOptions& options);

}  // namespace cortex::bench
