// One line of results: a backend on a problem with a number of threads.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cortex::bench {

struct Row {
  std::string problem, name;
  int64_t count = 1;
  std::string op, dt = "f32", weights = "dense";
  double density = 1;           // share of the weights that is not zero; flops count all of them
  double peak_factor = 1;       // of the f32 peak, what the types' own is
  std::string peak_of = "FMA";  // the instruction that does
  std::string backend, version;
  std::string isa;   // the cap it ran under, by our name
  std::string impl;  // the ISA and implementation the backend chose, in its words
  int threads = 1;
  double median_ns = 0, min_ns = 0;
  std::vector<double> samples_ns;
  int executions_per_sample = 1;
  double create_ns = 0, pack_ns = 0;
  double flops = 0, gflops = 0, percent_of_peak = 0;
  double error_ratio = -1;                                      // below 0: not verified
  std::string status;                                           // "ok" (verified), "unverified", "wrong"
  std::string where;                                            // wrong: which output
  std::string kernel, schedule, layout, shape, cold, handling;  // handling: "prepacked" or "plain"
  double predicted_ns = 0;                                      // 0: not known
  // Recursive and recurrent problems: time at the FMA peak, time to read the weights once per level. 0: not
  // known.
  double flop_bound_ns = 0, stream_bound_ns = 0;

  // What the row is of: rows that share it are compared.
  std::string problem_id() const { return name + "\n" + problem + "\n" + dt + "\n" + weights; }
};

// A backend that could not run a problem.
struct Refusal {
  std::string problem, name, backend, isa;
  int threads = 1;
  std::string reason;
};

nlohmann::ordered_json to_json(const Row& row);
Row row_from_json(const nlohmann::ordered_json& json);  // throws nlohmann::json::exception on another shape
nlohmann::ordered_json to_json(const Refusal& refusal);
Refusal refusal_from_json(const nlohmann::ordered_json& json);

}  // namespace cortex::bench
