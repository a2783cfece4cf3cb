// The parent's side of a run: workers, one ISA after another, and what they report.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/report/row.h"
#include "bench/run/options.h"

namespace cortex::bench {

struct RunResults {
  nlohmann::ordered_json workers = nlohmann::ordered_json::object();  // context by ISA
  nlohmann::ordered_json versions = nlohmann::ordered_json::object();
  std::vector<Row> rows;
  std::vector<Refusal> refusals;
  std::string stopped;  // why the rest is missing, if it is
};

struct RunListener {
  std::function<void(double done, const std::string& doing)> progress;  // done: 0 to 1
  std::function<void(Isa isa, const nlohmann::ordered_json& context)> isa_started;
  std::function<void(const std::vector<Row>&, const std::vector<Refusal>&)> set_done;
};

Result<RunResults> run_all(const RunOptions& options, const RunListener& listener);

}  // namespace cortex::bench
