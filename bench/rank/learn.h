// Trains a ranker on recorded variants, and says whether it beats the cost model on problems it has not seen.
#pragma once

#include <functional>
#include <vector>

#include "bench/rank/judge.h"
#include "bench/rank/ranking.h"
#include "polyopt/machine/machine.h"
#include "polyopt/ranker/ranker.h"
#include "support/result.h"

namespace cortex::bench {

struct Learned {
  Ranker ranker;                  // trained on all problems
  RankSummary analytic, learned;  // the learned one: each problem by a forest trained without its shape
  // Chooses better and orders no worse: else the analytic model alone is kept.
  bool better() const;
};

inline constexpr int learn_parts = 5;  // the shapes are divided into so many, each held out once

// Needs predictions of the present model (predict_again) and at least two shapes. No measured time takes part
// in the choice of a schedule, ties included.
Result<Learned> learn(const std::vector<Ranking>& rankings, const Machine& machine,
                      const std::function<void(double done)>& progress);

}  // namespace cortex::bench
