// The HTML page of a ranking: summary, a line and a scatter plot (SVG) per problem.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/rank/ranking.h"

namespace cortex::bench {

// Predicted against measured time, both over the best measured one, on logarithmic axes.
std::string scatter_svg(const Ranking& ranking);

std::string to_html(const nlohmann::ordered_json& context, const std::vector<Ranking>& rankings);

}  // namespace cortex::bench
