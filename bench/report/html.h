// Results as one self-contained page: context, summary, and a bar per backend and problem.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/report/row.h"
#include "bench/report/summary.h"

namespace cortex::bench {

std::string escaped(const std::string& text);  // for HTML and SVG

std::string to_html(const nlohmann::ordered_json& context, const std::vector<Row>& rows,
                    const std::vector<PairSummary>& summary, const std::vector<Refusal>& refusals);

}  // namespace cortex::bench
