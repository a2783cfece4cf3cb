// Chooses among several ways a peer offers to do the same thing: the fastest in a short trial.
#pragma once

#include <algorithm>

#include "bench/measure/clock.h"

namespace cortex::bench {

// The best of a few executions after a first one that warms up, within about 60 ms for short ones.
template <typename Execute>
double trial_ns(Execute&& execute) {
  double best = 1e300, spent = 0;
  for (int i = 0; i < 12 && (i < 2 || spent < 60e6); ++i) {
    const double start = now_ns();
    execute();
    const double took = now_ns() - start;
    if (i > 0) best = std::min(best, took);
    spent += took;
  }
  return best;
}

}  // namespace cortex::bench
