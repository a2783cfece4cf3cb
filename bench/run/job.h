// What the parent asks of a worker, and what the worker answers: JSON both ways.
#pragma once

#include <set>
#include <string>
#include <tuple>

#include "bench/run/options.h"
#include "nlohmann/json.hpp"

namespace cortex::bench {

// A set is one problem at one thread count: everything in it is measured interleaved. Sets are numbered
// problem by problem, thread counts within.
struct Job {
  RunOptions options;                          // isas: the one this worker runs
  int first_set = 0;                           // earlier ones are done
  std::set<std::pair<int, std::string>> skip;  // (set, contestant) that crashed before
};

int set_count(const RunOptions& options);
const RunProblem& problem_of_set(const RunOptions& options, int set);
int threads_of_set(const RunOptions& options, int set);

// A backend, and for Cortex which kernel; named as in the results.
struct ContestantName {
  std::string name;     // "cortex", "cortex-generated", "onednn"
  std::string backend;  // "cortex", "onednn"
  KernelChoice kernel = KernelChoice::automatic;
};
std::vector<ContestantName> contestants(const RunOptions& options);

nlohmann::json to_json(const Job& job);
Result<Job> job_from_json(const std::string& text);

}  // namespace cortex::bench
