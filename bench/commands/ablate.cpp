#include <cortex/recursive.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/commands/commands.h"
#include "bench/measure/sampler.h"
#include "bench/recursive/reference.h"
#include "bench/report/file.h"
#include "bench/report/table.h"
#include "bench/run/gather.h"
#include "bench/run/options.h"
#include "graph/structure/bracketed.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

struct Arguments {
  std::vector<std::string> problems, batches;
  std::string trees, isa, json;
  int threads = 1;
  double min_time = 0.1;
  bool verify = false;
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<std::string> transformations() {
  std::vector<std::string> names;
  const std::string list = cortex_recursive_transformations();
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    names.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

// Nanoseconds per batch: of everything, then without each transformation in turn.
Result<std::vector<double>> measure(const RecursiveProblem& problem, const Structures* trees, Isa isa,
                                    Backend& backend, const std::vector<std::string>& names,
                                    const Arguments& a) {
  Result<RecursiveOperands> operands = make_recursive_operands(problem, trees, {});
  if (!operands) return operands.error();
  std::optional<RecursiveReference> reference;
  if (a.verify) reference.emplace(problem, *operands);
  std::vector<std::unique_ptr<Instance>> instances;
  std::vector<Contestant> contestants;
  for (std::size_t i = 0; i <= names.size(); ++i) {
    const std::string disable = i == 0 ? "" : names[i - 1];
    Result<std::unique_ptr<Instance>> made =
        backend.create_recursive({&problem, &*operands, isa, a.threads, disable});
    if (!made) return made.error();
    instances.push_back(std::move(*made));
    contestants.push_back({[instance = instances.back().get()] { instance->execute(); }, {}});
    if (!reference) continue;
    std::vector<float> result(static_cast<std::size_t>(reference->result_count()));
    if (Status s = instances.back()->read_result(result.data()); !s) return s.error();
    const Verdict verdict = reference->check(result.data());
    if (!(verdict.error_ratio <= 1)) {
      return internal_error(fmt::format("{} without {}: wrong, {}", problem.text, disable, verdict.where));
    }
  }
  SamplingOptions sampling;
  sampling.min_time = a.min_time;
  std::vector<double> times;
  for (const Samples& s : sample_interleaved(contestants, sampling)) {
    times.push_back(median(s.ns) / static_cast<double>(operands->batches.size()));
  }
  return times;
}

int run(const Arguments& a) {
  const Result<Isa> isa = a.isa.empty() ? default_isa() : parse_usable_isa(a.isa);
  if (!isa) return report_error(isa.error());
  if (a.threads < 1 || a.threads > 64) {
    return report_error(invalid_argument(fmt::format("--threads: {} is not between 1 and 64", a.threads)));
  }
  if (!(a.min_time > 0 && a.min_time <= 1e6))
    return report_error(invalid_argument("--min-time: must be above 0 and at most 1e6"));
  std::vector<NamedFile> files = {{"--json", a.json}};
  add_read(files, "--batch", a.batches);
  add_read(files, "--trees", {a.trees});
  if (Status s = check_outputs(files); !s) return report_error(s.error());
  const Result<std::vector<RunProblem>> problems =
      gather_run_problems(a.problems, {}, a.batches, "recursive");
  if (!problems) return report_error(problems.error());
  std::optional<Structures> trees;
  if (!a.trees.empty()) {
    Result<std::string> path = find_trees(a.trees);
    if (!path) return report_error(path.error());
    Result<Structures> read = read_trees(*path);
    if (!read) return report_error(named("--trees", read.error()));
    trees = std::move(*read);
  }
  for (const RunProblem& p : *problems) {
    if (p.recursive()->structure.kind != StructureKind::trees || trees) continue;
    return report_error(invalid_argument(
        fmt::format("problem '{}' runs over trees: name their file with --trees, or a shape such as perfect7",
                    p.text())));
  }
  Result<std::unique_ptr<Backend>> backend = find_backend("cortex")->make(*isa);
  if (!backend) return report_error(backend.error());

  const std::vector<std::string> names = transformations();
  say("isa {}, threads {}. Time without a transformation over time with all of them:\n", isa_name(*isa),
      a.threads);
  for (std::size_t i = 0; i < names.size(); ++i) say("  ({}) {}\n", i + 1, names[i]);
  say("{:<22} {:>9}", "problem", "us");
  for (std::size_t i = 0; i < names.size(); ++i) say(" {:>6}", fmt::format("({})", i + 1));
  say("\n");
  std::vector<double> logs(names.size());
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (const RunProblem& p : *problems) {
    const Result<std::vector<double>> times =
        measure(*p.recursive(), trees ? &*trees : nullptr, *isa, **backend, names, a);
    if (!times) return report_error(times.error());
    say("{:<22} {:>9}", p.text(), microseconds((*times)[0]));
    nlohmann::ordered_json without;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const double factor = (*times)[i + 1] / (*times)[0];
      logs[i] += std::log(factor);
      without[names[i]] = (*times)[i + 1];
      say(" {:>6.2f}", factor);
    }
    say("\n");
    flush_output();
    results.push_back({{"problem", p.text()}, {"time_ns", (*times)[0]}, {"without_ns", without}});
    if (output::closed()) break;
  }
  say("{:<22} {:>9}", "geometric mean", "");
  for (const double log : logs) say(" {:>6.2f}", std::exp(log / static_cast<double>(problems->size())));
  say("\n");
  if (a.json.empty()) return exit_ok;
  const nlohmann::ordered_json document = {
      {"isa", isa_name(*isa)}, {"threads", a.threads}, {"results", results}};
  if (Status s = write_file_atomically(a.json, json_text(document, 1)); !s) return report_error(s.error());
  return exit_ok;
}

}  // namespace

void add_ablate(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("ablate", "what each transformation of recursive models is worth: each off in turn");
  auto a = std::make_shared<Arguments>();
  command->add_option("problem", a->problems, "recursive problems: treelstm h256 mb10");
  command->add_option("--batch", a->batches, "file of problems, or the name of a shipped list")
      ->allow_extra_args(false);
  command->add_option("--trees", a->trees, "file of bracketed trees, or the name of a shipped one");
  command->add_option("--isa", a->isa, "instruction set");
  command->add_option("--threads", a->threads, "thread count");
  command->add_option("--min-time", a->min_time, "seconds of timed execution per contestant");
  command->add_flag("--verify", a->verify, "check every result against the reference");
  command->add_option("--json", a->json, "write results here");
  command->callback([a, &session] { session.exit_code = run(*a); });
}

}  // namespace cortex::bench
