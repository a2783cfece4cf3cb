// Is the kernel that is predicted to be fastest for given zeros the fastest one? Measures all of them.
#include <cortex/cortex.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/commands/commands.h"
#include "bench/measure/interrupt.h"
#include "bench/measure/statistics.h"
#include "bench/reference/prune.h"
#include "bench/reference/reference.h"
#include "bench/reference/shapes.h"
#include "bench/report/file.h"
#include "bench/report/table.h"
#include "bench/run/formats.h"
#include "bench/run/gather.h"
#include "bench/run/options.h"
#include "bench/run/sparse_kernels.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

struct Arguments {
  std::vector<std::string> problems, batches, dts, weights;
  std::string op, isa, json;
  int threads = 1;
  double sparsity = 0, min_time = 0.05;
  uint64_t seed = 1;
  bool verify = false;
};

struct Choice {
  std::vector<SparseCandidate> candidates;
  std::size_t chosen = 0;
  double density = 1;

  const SparseCandidate& best() const { return fastest(candidates); }
  double share() const { return best().ns / candidates[chosen].ns; }
};

// The schedule, which names the lists too.
std::string text_of(const Instance& instance) { return instance.info().schedule; }

Result<Choice> measure(const RunProblem& p, Isa isa, Backend& backend, const Arguments& a) {
  const Problem& problem = *p.dense();
  Result<Operands> operands = make_operands(problem, a.seed);
  if (!operands) return operands.error();
  Choice choice;
  const Result<WeightFormat> format = parse_weight_format(p.weights);
  if (!format) return format.error();
  const Result<double> kept = prune_operands(problem, *format, a.sparsity, *operands);
  if (!kept) return kept.error();
  choice.density = *kept;
  std::optional<Reference> reference;
  std::vector<float> result;
  if (a.verify) {
    reference.emplace(problem, *operands);
    result.resize(static_cast<std::size_t>(c_elements(problem)));
  }

  Request request;
  request.problem = &problem;
  request.isa = isa;
  request.threads = a.threads;
  request.kernel = KernelChoice::interpreted;
  Result<std::vector<SparseCandidate>> measured = make_sparse_candidates(backend, request, *operands);
  if (!measured) return measured.error();
  request.sparse = true;
  request.sparse_share = CORTEX_SPARSE_OR_DENSE;
  Result<std::unique_ptr<Instance>> made = backend.create(request, *operands);
  if (!made) return made.error();
  const std::string text = text_of(**made);
  const auto found = std::find_if(measured->begin(), measured->end(),
                                  [&](const SparseCandidate& c) { return text_of(*c.instance) == text; });
  if (found == measured->end())
    return internal_error(fmt::format("{}: the plan chosen, '{}', is none of the kernels'", p.text(), text));
  choice.chosen = static_cast<std::size_t>(found - measured->begin());

  for (const SparseCandidate& candidate : *measured) {
    if (!reference) break;
    candidate.instance->prepare_output();
    candidate.instance->execute();
    if (Status s = candidate.instance->read_result(result.data()); !s) return s.error();
    const Verdict verdict = reference->check(result.data());
    if (!verdict.ok())
      return internal_error(
          fmt::format("{} {} by {}: wrong, {}", p.text(), p.weights, candidate.kernel->name, verdict.where));
  }
  measure_sparse_candidates(*measured, a.min_time, Cold::none);
  choice.candidates = std::move(*measured);
  return choice;
}

nlohmann::ordered_json to_json(const RunProblem& p, const Choice& choice) {
  nlohmann::ordered_json times = nlohmann::ordered_json::array();
  for (const SparseCandidate& c : choice.candidates)
    times.push_back({{"kernel", c.kernel->name},
                     {"time_ns", c.ns},
                     {"predicted_ns", c.instance->info().predicted_seconds * 1e9},
                     {"plan", text_of(*c.instance)}});
  return {{"problem", p.text()},
          {"dt", dt_name(*p.dense())},
          {"weights", p.weights},
          {"density", choice.density},
          {"chosen", choice.candidates[choice.chosen].kernel->name},
          {"best", choice.best().kernel->name},
          {"best_over_chosen", choice.share()},
          {"kernels", times}};
}

std::string line(const RunProblem& p, const Choice& choice) {
  std::string text =
      fmt::format("{:<20.20} {:<20.20} {:>5.3f}", p.name().empty() ? short_shape(*p.dense()) : p.name(),
                  dt_name(*p.dense()) + ' ' + p.weights, choice.density);
  for (const SparseKernel& kernel : sparse_kernels()) {
    const auto found = std::find_if(choice.candidates.begin(), choice.candidates.end(),
                                    [&](const SparseCandidate& c) { return c.kernel == &kernel; });
    text += fmt::format(" {:>9}", found == choice.candidates.end() ? "-" : microseconds(found->ns));
  }
  return text +
         fmt::format("  {:<8} {:>6.3f}\n", choice.candidates[choice.chosen].kernel->name, choice.share());
}

int run(const Arguments& a) {
  if (a.threads < 1 || a.threads > 64)
    return report_error(invalid_argument(fmt::format("--threads: {} is not between 1 and 64", a.threads)));
  if (!(a.min_time > 0 && a.min_time <= 1e6))
    return report_error(invalid_argument("--min-time: must be above 0 and at most 1e6"));
  if (a.weights.empty())
    return report_error(invalid_argument("--weights: name formats of zeros, such as nm2of4,bs4x1"));
  std::vector<NamedFile> files = {{"--json", a.json}};
  add_read(files, "--batch", a.batches);
  if (Status s = check_outputs(files); !s) return report_error(s.error());
  if (const Result<OpKind> op = parse_op(a.op); !op) return report_error(op.error());
  Result<std::vector<RunProblem>> problems = gather_in_types(a.problems, {}, a.batches, a.op, a.dts);
  if (!problems) return report_error(problems.error());
  for (const RunProblem& p : *problems) {
    if (!p.dense())
      return report_error(invalid_argument(fmt::format("'{}': detect takes conv and matmul", p.text())));
  }
  if (Status s = apply_weights(a.weights, a.sparsity, *problems); !s) return report_error(s.error());
  if (Status s = check_memory(*problems, sparse_kernels().size() + 2, "every kernel"); !s)
    return report_error(s.error());
  const Result<Isa> isa = a.isa.empty() ? default_isa(*problems) : parse_usable_isa(a.isa);
  if (!isa) return report_error(isa.error());
  Result<std::unique_ptr<Backend>> backend = find_backend("cortex")->make(*isa);
  if (!backend) return report_error(backend.error());

  say("isa {}, threads {}. Microseconds by kernel, the one chosen, the fastest over it:\n{:<20} {:<20} {:>5}",
      isa_name(*isa), a.threads, "problem", "weights", "kept");
  for (const SparseKernel& kernel : sparse_kernels()) say(" {:>9}", kernel.name);
  say("  {:<8} {:>6}\n", "chosen", "share");
  std::vector<double> shares;
  std::string worst;
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  const InterruptGuard guard;
  for (const RunProblem& p : *problems) {
    if (interrupted()) break;
    const Result<Choice> choice = measure(p, *isa, **backend, a);
    if (!choice) return report_error(choice.error());
    if (shares.empty() || choice->share() < *std::min_element(shares.begin(), shares.end()))
      worst = fmt::format("{} {} {}", p.name().empty() ? p.text() : p.name(), dt_name(*p.dense()), p.weights);
    shares.push_back(choice->share());
    say("{}", line(p, *choice));
    flush_output();
    results.push_back(to_json(p, *choice));
    if (output::closed()) break;
  }
  const bool cut = shares.size() < problems->size() && interrupted();
  if (cut && !output::closed())
    complain("cortex-bench: interrupted: {} of {} measured\n", shares.size(), problems->size());
  if (shares.empty()) return exit_failed;
  const auto close = std::count_if(shares.begin(), shares.end(), [](double share) { return share >= 0.95; });
  const double mean = geometric_mean(shares), least = *std::min_element(shares.begin(), shares.end());
  say("fastest over chosen: geomean {:.4f} over {}, within 5 %: {}, worst {:.3f} ({})\n", mean, shares.size(),
      close, least, worst);
  const int code = cut ? exit_failed : exit_ok;
  if (a.json.empty()) return code;
  const nlohmann::ordered_json document = {
      {"isa", isa_name(*isa)},
      {"threads", a.threads},
      {"results", results},
      {"summary",
       {{"geomean", mean}, {"within_5_percent", close}, {"count", shares.size()}, {"worst", least}}}};
  if (Status s = write_file_atomically(a.json, json_text(document, 1)); !s) return report_error(s.error());
  return code;
}

}  // namespace

void add_detect(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand(
      "detect", "weights with zeros: every kernel measured, beside the one that Cortex chooses");
  command->footer("Ctrl-C ends it after the problem under way, reports those done, and exits with 1.");
  auto a = std::make_shared<Arguments>();
  command->add_option("problem", a->problems, "problem lines, as benchdnn writes them");
  command->add_option("--batch", a->batches, "file of problems, or the name of a shipped list")
      ->allow_extra_args(false);
  command->add_option("--op", a->op, "conv or matmul; left out, each line says it by its form");
  add_list_option(*command, "--dt", a->dts, "data types of problems that state none: f32, bf16, u8s8, ...");
  add_list_option(*command, "--weights", a->weights,
                  "formats of zeros: nm2of4, nm1of8x2, cc8, bs4x1, unstructured");
  command->add_option("--sparsity", a->sparsity, "share of zeros, for formats other than nm");
  command->add_option("--isa", a->isa, "instruction set");
  command->add_option("--threads", a->threads, "thread count");
  command->add_option("--min-time", a->min_time, "seconds of timed execution per kernel");
  command->add_option("--seed", a->seed, "of operands")->check(not_negative());
  command->add_flag("--verify", a->verify, "check every result against the reference");
  command->add_option("--json", a->json, "write results here");
  command->callback([a, &session] { session.exit_code = run(*a); });
}

}  // namespace cortex::bench
