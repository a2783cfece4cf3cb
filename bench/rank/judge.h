// How good an order is: the figures of `cortex-bench rank`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/rank/ranking.h"

namespace cortex::bench {

// Speeds over the best variant's speed, the best being the fastest finalist at its last samples. Median,
// worst and pairs are over the variants drawn from the whole space: the search's own few would shift them.
struct Score {
  int variants = 0;
  double top1_over_best = 0;
  double measured_over_best = 0;  // 0: nothing was tried
  double median_over_best = 0;
  double worst_over_best = 0;
  // Pairs whose times differ by more than the tie: the share predicted in the right order, equal predictions
  // counting half.
  double pairwise_accuracy = 0;
  double pairs_tied = 0;  // share of all pairs
  double gap_closed = 0;  // of the logarithmic gap from median to best; may be negative
  double bias = 0;        // predicted over measured time, geometric mean
  double error = 0;       // standard deviation of its logarithm
};

inline constexpr double tie = 0.02;  // measured times closer than this are no order

// The fastest finalist's time; without finalists, of all variants'.
double best_ns(const Ranking& ranking);

// `ranking` has a choice and measured variants.
Score judge(const Ranking& ranking);

struct RankSummary {
  int problems = 0, variants = 0;
  Score mean;  // geometric means; pairs and tied ones: arithmetic
  double plan_ms_max = 0;
  double variants_per_second = 0;
};
RankSummary summarize(const std::vector<Ranking>& rankings);

nlohmann::ordered_json to_json(const Score& score);
nlohmann::ordered_json to_json(const RankSummary& summary);
std::string to_line(const RankSummary& summary);

}  // namespace cortex::bench
