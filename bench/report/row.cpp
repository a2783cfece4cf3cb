#include "bench/report/row.h"

#include <algorithm>

namespace cortex::bench {

using Json = nlohmann::ordered_json;

Json to_json(const Row& r) {
  Json j = {{"problem", r.problem},
            {"name", r.name},
            {"count", r.count},
            {"op", r.op},
            {"dt", r.dt},
            {"weights", r.weights},
            {"density", r.density},
            {"backend", r.backend},
            {"version", r.version},
            {"isa", r.isa},
            {"threads", r.threads},
            {"time_ns", {{"median", r.median_ns}, {"min", r.min_ns}, {"samples", r.samples_ns}}},
            {"create_ns", r.create_ns},
            {"pack_ns", r.pack_ns},
            {"gflops", r.gflops},
            {"percent_of_peak", r.percent_of_peak},
            {"peak_of", r.peak_of}};
  j["error_ratio"] = r.error_ratio < 0 ? Json() : Json(r.error_ratio);
  j["status"] = r.status;
  if (!r.where.empty()) j["where"] = r.where;
  j["impl"] = r.impl;
  j["kernel"] = r.kernel;
  j["schedule"] = r.schedule;
  j["layout"] = r.layout;
  j["handling"] = r.handling;
  j["cold"] = r.cold;
  j["shape"] = r.shape;
  j["flops"] = r.flops;
  j["executions_per_sample"] = r.executions_per_sample;
  j["predicted_ns"] = r.predicted_ns > 0 ? Json(r.predicted_ns) : Json();
  if (r.flop_bound_ns > 0) {
    j["flop_bound_ns"] = r.flop_bound_ns;
    j["stream_bound_ns"] = r.stream_bound_ns;
    j["over_bound"] = r.median_ns / std::max(r.flop_bound_ns, r.stream_bound_ns);
  }
  return j;
}

Row row_from_json(const Json& j) {
  Row r;
  r.problem = j.at("problem");
  r.name = j.at("name");
  r.count = j.at("count");
  r.op = j.at("op");
  r.dt = j.at("dt");
  r.weights = j.at("weights");
  r.density = j.value("density", 1.0);
  r.backend = j.at("backend");
  r.version = j.at("version");
  r.isa = j.at("isa");
  r.threads = j.at("threads");
  const Json& time = j.at("time_ns");
  r.median_ns = time.at("median");
  r.min_ns = time.at("min");
  r.samples_ns = time.at("samples").get<std::vector<double>>();
  r.create_ns = j.at("create_ns");
  r.pack_ns = j.at("pack_ns");
  r.gflops = j.at("gflops");
  r.percent_of_peak = j.at("percent_of_peak");
  r.peak_of = j.value("peak_of", "FMA");
  r.error_ratio = j.at("error_ratio").is_null() ? -1 : j.at("error_ratio").get<double>();
  r.status = j.value("status", "");
  r.where = j.value("where", "");
  r.impl = j.value("impl", "");
  r.kernel = j.value("kernel", "");
  r.schedule = j.value("schedule", "");
  r.layout = j.value("layout", "");
  r.handling = j.value("handling", "");
  r.cold = j.value("cold", "");
  r.shape = j.value("shape", "");
  r.flops = j.value("flops", 0.0);
  r.executions_per_sample = j.value("executions_per_sample", 1);
  r.predicted_ns =
      !j.contains("predicted_ns") || j.at("predicted_ns").is_null() ? 0 : j.at("predicted_ns").get<double>();
  r.flop_bound_ns = j.value("flop_bound_ns", 0.0);
  r.stream_bound_ns = j.value("stream_bound_ns", 0.0);
  return r;
}

Json to_json(const Refusal& r) {
  return {{"problem", r.problem}, {"name", r.name},       {"backend", r.backend},
          {"isa", r.isa},         {"threads", r.threads}, {"reason", r.reason}};
}

Refusal refusal_from_json(const Json& j) {
  Refusal r;
  r.problem = j.at("problem");
  r.name = j.at("name");
  r.backend = j.at("backend");
  r.isa = j.at("isa");
  r.threads = j.at("threads");
  r.reason = j.at("reason");
  return r;
}

}  // namespace cortex::bench
