// Times the variants of one problem within a budget.
#pragma once

#include <functional>

#include "bench/rank/ranking.h"
#include "bench/rank/stage.h"

namespace cortex::bench {

struct MeasureOptions {
  double seconds = 5;  // to aim at; a first execution of every variant happens in any case
  bool cold = false;   // operands are flushed from the caches before every execution
  std::function<void(double done)> progress;
  std::function<bool()> cancelled;  // asked between executions: the rest is left out
};

// Rounds over all variants, interleaved. The first execution of each is checked against the reference; then
// every round takes one more sample of each variant that still matters: those that are far slower than the
// best so far leave after one sample or a few. Then the search's few and the fastest are sampled again side
// by side, which says what measure mode answers and which variant is best; at last these two and the choice
// once more: those samples are their times, so that no minimum over many noisy times is taken at its
// luckiest. Sets ns, spread, samples, finalist, measured_choice; variants that cannot run or answer wrongly
// are an error.
Status measure_variants(Ranking& ranking, Stage& stage, const MeasureOptions& options);

}  // namespace cortex::bench
