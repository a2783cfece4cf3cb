// Rankings as CSV: a line per variant with its schedule, times and everything the model says of it.
#pragma once

#include <string>
#include <vector>

#include "bench/rank/ranking.h"
#include "support/result.h"

namespace cortex::bench {

std::string to_csv(const std::vector<Ranking>& rankings);

// Reads back what the model does not say: problems, schedules, times. `source` names the file in refusals.
Result<std::vector<Ranking>> parse_rankings(const std::string& text, const std::string& source);

}  // namespace cortex::bench
