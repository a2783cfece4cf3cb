// One ranked problem as a line of the table and as an object of the JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "bench/rank/ranking.h"

namespace cortex::bench {

std::string rank_header();
std::string rank_line(const Ranking& ranking);
nlohmann::ordered_json to_json(const Ranking& ranking);

}  // namespace cortex::bench
