// Pairs of backends, over all problems both ran.
#pragma once

#include <string>
#include <vector>

#include "bench/report/row.h"

namespace cortex::bench {

struct PairSummary {
  std::string pair;  // "cortex/onednn": the first one's speed over the second's
  std::string isa, dt = "f32", weights = "dense";
  double ideal = 1;  // geometric mean of dense multiplications over those that zeros leave
  int threads = 1;
  double geomean_speedup = 0;  // over problems, each counted once
  int wins = 0, losses = 0;
  double worst = 0;
  std::string worst_name;
  double percent_of_peak = 0, peer_percent_of_peak = 0;  // geometric means, over the same problems
  int problems = 0;
};

// One per pair, ISA, type, weight format and thread count: every Cortex row against every peer, against the
// best peer of each problem ("cortex/best") when there are several, and generated against interpreted. Wrong
// rows do not enter.
std::vector<PairSummary> summarize(const std::vector<Row>& rows);

nlohmann::ordered_json to_json(const PairSummary& summary);
std::string to_line(const PairSummary& summary, bool with_isa);

}  // namespace cortex::bench
