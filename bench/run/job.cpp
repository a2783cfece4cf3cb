#include "bench/run/job.h"

#include <fmt/format.h>

namespace cortex::bench {

using Json = nlohmann::json;

namespace {

Result<RunProblem> read_problem(const std::string& op, const std::string& text) {
  if (op == "recursive") {
    auto problems = parse_recursive(text);
    if (!problems) return problems.error();
    return RunProblem{std::move(problems->front())};
  }
  if (op == "rnn") {
    auto problems = parse_rnn(text);
    if (!problems) return problems.error();
    return RunProblem{std::move(problems->front())};
  }
  auto problem = parse_problem(text);
  if (!problem) return problem.error();
  return RunProblem{std::move(*problem)};
}

}  // namespace

int set_count(const RunOptions& options) {
  return static_cast<int>(options.problems.size() * options.threads.size());
}

const RunProblem& problem_of_set(const RunOptions& options, int set) {
  return options.problems[static_cast<std::size_t>(set) / options.threads.size()];
}

int threads_of_set(const RunOptions& options, int set) {
  return options.threads[static_cast<std::size_t>(set) % options.threads.size()];
}

std::vector<ContestantName> contestants(const RunOptions& options) {
  std::vector<ContestantName> all;
  for (const std::string& backend : options.backends) {
    if (backend != "cortex") {
      all.push_back({backend, backend, KernelChoice::automatic});
      continue;
    }
    for (KernelChoice kernel : options.kernels) {
      const bool one = options.kernels.size() == 1;
      all.push_back({one ? backend : backend + "-" + kernel_choice_name(kernel), backend, kernel});
    }
  }
  return all;
}

Json to_json(const Job& job) {
  const RunOptions& o = job.options;
  Json problems = Json::array();
  for (const RunProblem& p : o.problems) {
    problems.push_back({{"op", p.op()},
                        {"problem", std::visit([](const auto& what) { return to_string(what); }, p.what)},
                        {"name", p.name()},
                        {"count", p.count()},
                        {"weights", p.weights},
                        {"text", p.text()}});
  }
  Json isas = Json::array(), kernels = Json::array();
  for (Isa isa : o.isas) isas.push_back(isa_name(isa));
  for (KernelChoice k : o.kernels) kernels.push_back(static_cast<int>(k));
  Json skip = Json::array();
  for (const auto& [set, name] : job.skip) skip.push_back({set, name});
  return {{"problems", problems},
          {"backends", o.backends},
          {"isas", isas},
          {"threads", o.threads},
          {"kernels", kernels},
          {"libraries", o.libraries},
          {"schedule", o.schedule},
          {"trees", o.trees},
          {"batches", o.batches},
          {"cold", static_cast<int>(o.cold)},
          {"verify", o.verify},
          {"plain", o.plain},
          {"repeats", o.repeats},
          {"min_time", o.min_time},
          {"time_limit", o.time_limit},
          {"seed", o.seed},
          {"sparsity", o.sparsity},
          {"mode", static_cast<int>(o.mode)},
          {"wisdom", o.wisdom},
          {"tune_seconds", o.tune_seconds},
          {"first_set", job.first_set},
          {"skip", skip}};
}

Result<Job> job_from_json(const std::string& text) {
  try {
    const Json j = Json::parse(text);
    Job job;
    RunOptions& o = job.options;
    for (const Json& p : j.at("problems")) {
      Result<RunProblem> problem = read_problem(p.at("op"), p.at("problem"));
      if (!problem)
        return internal_error(fmt::format("problem does not read back: {}", problem.error().message));
      std::visit(
          [&](auto& what) {
            what.name = p.at("name");
            what.count = p.at("count");
            what.text = p.at("text");
          },
          problem->what);
      problem->weights = p.at("weights");
      o.problems.push_back(std::move(*problem));
    }
    o.backends = j.at("backends").get<std::vector<std::string>>();
    for (const Json& isa : j.at("isas")) o.isas.push_back(parse_isa(isa.get<std::string>()).value());
    o.threads = j.at("threads").get<std::vector<int>>();
    for (const Json& k : j.at("kernels")) o.kernels.push_back(static_cast<KernelChoice>(k.get<int>()));
    o.libraries = j.at("libraries").get<std::vector<std::string>>();
    o.schedule = j.at("schedule");
    o.trees = j.at("trees");
    o.batches = j.at("batches");
    o.cold = static_cast<Cold>(j.at("cold").get<int>());
    o.verify = j.at("verify");
    o.plain = j.at("plain");
    o.repeats = j.at("repeats");
    o.min_time = j.at("min_time");
    o.time_limit = j.at("time_limit");
    o.seed = j.at("seed");
    o.sparsity = j.at("sparsity");
    o.mode = static_cast<SearchMode>(j.at("mode").get<int>());
    o.wisdom = j.at("wisdom");
    o.tune_seconds = j.at("tune_seconds");
    job.first_set = j.at("first_set");
    for (const Json& s : j.at("skip")) job.skip.insert({s.at(0).get<int>(), s.at(1).get<std::string>()});
    return job;
  } catch (const std::exception& e) {
    return internal_error(fmt::format("job: {}", e.what()));
  }
}

}  // namespace cortex::bench
