// Where and with what a run was made: machine, build, libraries, environment.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/run/options.h"

namespace cortex::bench {

// What the parent knows.
nlohmann::ordered_json run_context(const RunOptions& options, const std::vector<std::string>& command_line);

// What a worker measures and its libraries say, per ISA: peak, bandwidth, versions, environment.
nlohmann::ordered_json worker_context(Isa isa, int threads, double gflops_per_core);

}  // namespace cortex::bench
