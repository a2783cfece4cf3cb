#include "bench/run/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "bench/recursive/operands.h"
#include "bench/reference/shapes.h"
#include "bench/report/file.h"
#include "bench/run/formats.h"
#include "bench/run/gather.h"
#include "bench/run/sparse_kernels.h"
#include "bench/run/workloads.h"
#include "graph/lower/lower.h"
#include "graph/structure/bracketed.h"
#include "polyopt/ranker/ranker.h"
#include "polyopt/schedule/schedule.h"
#include "polyopt/search/wisdom.h"
#include "support/text_file.h"
#include "support/tools/list_option.h"

namespace cortex::bench {
namespace {

Error bad(std::string message) { return invalid_argument(std::move(message)); }

Result<Cold> parse_cold(const std::string& text) {
  for (Cold cold : {Cold::none, Cold::weights, Cold::all}) {
    if (text == cold_name(cold)) return cold;
  }
  return bad(fmt::format("--cold: '{}' is not one of none, weights, all", text));
}

Result<SearchMode> parse_mode(const std::string& text) {
  for (SearchMode m : {SearchMode::estimate, SearchMode::measure, SearchMode::exhaustive}) {
    if (text == search_mode_name(m)) return m;
  }
  return bad(fmt::format("--mode: '{}' is not one of estimate, measure, exhaustive", text));
}

Status check_search(RunOptions& o, const RunArguments& a) {
  Result<SearchMode> mode = parse_mode(a.mode);
  if (!mode) return mode.error();
  o.mode = *mode;
  o.tune_seconds = a.tune_seconds;
  o.wisdom = a.wisdom;
  if (!(a.tune_seconds > 0)) return bad("--tune-seconds: must be above 0");
  if (!o.schedule.empty() && (o.mode != SearchMode::estimate || !o.wisdom.empty()))
    return bad("--schedule: it leaves nothing to --mode and --wisdom; drop one or the other");
  o.ranker = a.ranker;
  if (!o.ranker.empty() && (o.mode != SearchMode::estimate || !o.schedule.empty()))
    return bad("--ranker: it is for --mode estimate without --schedule");
  if (!o.ranker.empty()) {
    Result<std::string> text = read_text_file(o.ranker);
    if (!text) return named("--ranker", text.error());
    if (Status s = Ranker(host_machine(Isa::avx512)).parse(*text, o.ranker); !s) return s;
  }
  if (o.wisdom.empty()) return Status::success();
  if (Status s = Wisdom(host_machine(Isa::avx512)).load(o.wisdom); !s) return s;
  return o.mode == SearchMode::estimate ? Status::success() : check_writable(o.wisdom, "--wisdom");
}

Result<KernelChoice> parse_kernel(const std::string& text) {
  for (KernelChoice k : {KernelChoice::automatic, KernelChoice::generated, KernelChoice::interpreted}) {
    if (text == kernel_choice_name(k)) return k;
  }
  return bad(fmt::format("--kernel: '{}' is not one of auto, generated, interpreted", text));
}

Status check_backend(const std::string& name) {
  std::vector<std::string> known;
  for (const BackendEntry& entry : backend_entries()) known.push_back(entry.name);
  const BackendEntry* entry = find_backend(name);
  if (!entry) return bad(fmt::format("--backend: '{}' is not one of {}", name, fmt::join(known, ", ")));
  if (!entry->make) return bad(fmt::format("--backend: this build has no {}: {}", name, entry->missing));
  return Status::success();
}

bool has_zeros(const std::vector<RunProblem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const RunProblem& p) { return !p.weights.empty() && p.weights != "dense"; });
}

// Weights with zeros have no schedules, are packed ahead, and run from the library alone.
Status check_sparse(const RunArguments& a, const std::vector<RunProblem>& problems) {
  if (!has_zeros(problems)) return Status::success();
  if (a.plain) return bad("--plain: weights with zeros (--weights) are packed ahead of time; leave it out");
  if (!a.schedule.empty() || !a.wisdom.empty() || !a.ranker.empty())
    return bad(
        "--weights: weights with zeros have no schedules to give, keep or rank; leave out "
        "--schedule, --wisdom, --ranker (--mode measure measures every kernel for the zeros)");
  if (std::find(a.kernels.begin(), a.kernels.end(), "generated") != a.kernels.end())
    return bad("--kernel generated: no kernels are generated for weights with zeros (--weights)");
  return Status::success();
}

// Read here too, so that what is wrong with them is said before anything runs.
Status check_trees(const std::string& path, const std::vector<RunProblem>& problems, int32_t batches) {
  const bool wanted = std::any_of(problems.begin(), problems.end(),
                                  [](const RunProblem& p) { return p.recursive() != nullptr; });
  if (!wanted && !path.empty()) return bad("--trees: no problem here is a recursive model; leave it out");
  std::optional<Structures> trees;
  if (!path.empty()) {
    Result<Structures> read = read_trees(path);
    if (!read) return named("--trees", read.error());
    trees = std::move(*read);
  }
  for (const RunProblem& p : problems) {
    if (!p.recursive()) continue;
    if (p.recursive()->structure.kind == StructureKind::trees && !trees) {
      return bad(fmt::format(
          "problem '{}' runs over trees: name their file with --trees, or a shape such as perfect7",
          p.text()));
    }
    if (Status s = check_recursive_memory(*p.recursive(), trees ? &*trees : nullptr, {batches, 1}); !s)
      return s;
  }
  return Status::success();
}

// Refused before anything runs, and with the dependence it would break.
Status check_schedule(const RunOptions& o) {
  if (o.schedule.empty()) return Status::success();
  if (o.problems.size() != 1) {
    return bad(fmt::format("--schedule: it is for one problem, here are {}", o.problems.size()));
  }
  const Problem* problem = o.problems[0].dense();
  if (!problem) return bad("--schedule: it is for conv and matmul");
  Result<Nest> nest = lower(*problem);
  if (!nest) return nest.error();
  nest->b_constant = nest->b_constant && !(o.plain && problem->is_matmul());
  const Nest coalesced = coalesce(*nest);
  const Result<Schedule> schedule = parse_schedule(o.schedule, coalesced);
  if (!schedule) return bad(fmt::format("--schedule: {}", schedule.error().message));
  if (Status legal = check(*schedule, coalesced); !legal) {
    return bad(fmt::format("--schedule: {}", legal.error().message));
  }
  return Status::success();
}

}  // namespace

const char* cold_name(Cold cold) {
  switch (cold) {
    case Cold::none:
      return "none";
    case Cold::weights:
      return "weights";
    case Cold::all:
      return "all";
  }
  return "?";
}

CLI::Validator not_negative() {
  return CLI::Validator(
      [](const std::string& text) {
        return text.rfind('-', 0) == 0 ? fmt::format("'{}' must not be negative", text) : std::string();
      },
      "", "not negative");
}

void add_run_options(CLI::App& app, RunArguments& a) {
  app.add_option("problem", a.problems, "problem lines, as benchdnn writes them");
  app.add_option("--problem", a.option_problems, "the same, for one that begins with options")
      ->allow_extra_args(false);
  app.add_option("--batch", a.problem_lists, "file of problems, or the name of a shipped list")
      ->allow_extra_args(false);
  app.add_option("--op", a.op, "conv, matmul, rnn or recursive; left out, each line says it by its form");
  app.add_option("--trees", a.trees, "recursive: file of bracketed trees, or the name of a shipped one");
  app.add_option("--batches", a.batches,
                 "recursive: batches per execution (default: about 100 structures, of large ones fewer)");
  add_list_option(
      app, "--dt", a.dts,
      "data types of problems that state none: f32, bf16, bf16f32, u8s8, s8s8, ... (default: f32)");
  add_list_option(app, "--weights", a.weights,
                  "weight formats: dense, nm2of4, nm1of8x2, cc8, bs4x1, unstructured; backend cortex-dense\n"
                  "multiplies with the zeros, as peers do but xsmm-sparse");
  app.add_option("--sparsity", a.sparsity, "share of zeros, for formats other than nm and dense");
  add_list_option(app, "--backend", a.backends,
                  "cortex, cortex-dense, onednn, xsmm, xsmm-sparse, openblas, torch, torch-levels\n"
                  "(default: all in this build that know the operator, but cortex-dense and xsmm-sparse)");
  add_list_option(app, "--threads", a.threads, "thread counts (default: 1)");
  add_list_option(app, "--isa", a.isas, "baseline, avx2, avx512, ... (default: the best this CPU has)");
  add_list_option(app, "--kernel", a.kernels, "Cortex: auto, generated, interpreted");
  app.add_option("--library", a.libraries, "more generated kernels: FILE.so, or FILE.so:NAME")
      ->allow_extra_args(false);
  app.add_option(
         "--schedule", a.schedule,
         "Cortex: this schedule for the only problem, as text or as a loop string (see cortex-gen explain)")
      ->check(not_empty("a schedule, or leave the option out for the best that is found"));
  app.add_option("--cold", a.cold, "flush before each execution: none, weights, all");
  app.add_option(
      "--mode", a.mode,
      "Cortex's schedules: estimate (the model), measure (the fastest of 8), exhaustive (of hundreds); for "
      "weights with zeros the last two measure every kernel");
  app.add_option("--tune-seconds", a.tune_seconds, "for one problem in these modes (default 2)");
  app.add_option("--wisdom", a.wisdom,
                 "file of measured schedules: used in every mode, the last two add to it");
  app.add_option("--ranker", a.ranker,
                 "trained ranker (rank --learn): it has the last word in mode estimate");
  app.add_flag("--plain", a.plain, "matmul: weights not packed ahead of time, for every backend");
  app.add_flag("--verify", a.verify, "check every result against a double-precision reference");
  app.add_option("--json", a.json, "write results here");
  app.add_option("--csv", a.csv, "write a table here");
  app.add_option("--html", a.html, "write a page here");
  app.add_option("--repeats", a.repeats, "samples per backend (default: as many as --min-time asks for)");
  app.add_option("--min-time", a.min_time, "seconds of measured execution per problem and backend");
  app.add_option("--time-limit", a.time_limit, "seconds for everything: problems get fewer samples to fit");
  app.add_option("--seed", a.seed, "of operands and of the sampled check")->check(not_negative());
  app.add_flag("--quiet", a.quiet, "print the summary only");
}

Status check_memory(const std::vector<RunProblem>& problems, std::size_t sets, const std::string& of_what) {
  const double have =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  for (const RunProblem& problem : problems) {
    if (!problem.dense()) continue;
    const Problem& p = *problem.dense();
    const double need = static_cast<double>(sets) * 4 *
                        (double(a_elements(p)) + double(b_elements(p)) + double(c_elements(p)));
    if (need <= have) continue;
    return bad(fmt::format(
        "problem '{}' needs about {:.0f} GB for {}, this machine has {:.0f}: choose a smaller one, "
        "or fewer",
        p.text, need * 1e-9, of_what, have * 1e-9));
  }
  return Status::success();
}

Result<OpKind> parse_op(const std::string& text) {
  if (text.empty()) return OpKind::any;
  if (text == "conv") return OpKind::conv;
  if (text == "matmul") return OpKind::matmul;
  if (text == "rnn" || text == "recursive") {
    return bad(fmt::format("--op: this command does not take {}; use conv or matmul", text));
  }
  return bad(fmt::format("--op: '{}' is not one of conv, matmul", text));
}

Result<Isa> parse_usable_isa(const std::string& text) {
  const std::optional<Isa> isa = parse_isa(text);
  if (!isa) return bad(fmt::format("--isa: '{}' is not one of {}", text, isa_names()));
  if (!is_built(*isa)) return bad(fmt::format("--isa: {}", not_built(*isa)));
  std::string bad_value;
  const std::optional<Isa> usable = usable_isa(&bad_value);
  if (!usable) return bad(fmt::format("CORTEX_MAX_ISA: '{}' is not one of {}", bad_value, isa_names()));
  if (!supports(*isa) || *isa > *usable) {
    return bad(fmt::format("--isa: this machine runs up to {}, not {}{}", isa_name(*usable), text,
                           *usable < detected_isa() ? " (capped by CORTEX_MAX_ISA)" : ""));
  }
  return *isa;
}

Result<Isa> default_isa() {
  std::string bad_value;
  const std::optional<Isa> usable = usable_isa(&bad_value);
  if (!usable) return bad(fmt::format("CORTEX_MAX_ISA: '{}' is not one of {}", bad_value, isa_names()));
  return f32_isa(*usable);
}

Result<Isa> default_isa(const std::vector<RunProblem>& problems) {
  const bool narrow = std::any_of(problems.begin(), problems.end(), [](const RunProblem& p) {
    return p.dense() && p.dense()->src != DataType::f32;
  });
  std::string bad_value;
  Result<Isa> isa = default_isa();
  return isa && narrow ? *usable_isa(&bad_value) : isa;
}

Result<std::vector<Problem>> gather_problems(const std::vector<std::string>& lines,
                                             const std::vector<std::string>& batches, OpKind op,
                                             const std::optional<Types>& unstated) {
  std::vector<Problem> problems;
  for (const std::string& line : lines) {
    Result<Problem> problem = unstated ? parse_problem(line, op, *unstated) : parse_problem(line, op);
    if (!problem) return problem.error();
    problems.push_back(std::move(*problem));
  }
  for (const std::string& batch : batches) {
    Result<std::string> path = find_workload(batch);
    if (!path) return path.error();
    Result<std::vector<Problem>> read = unstated ? read_batch(*path, op, *unstated) : read_batch(*path, op);
    if (!read) return read.error();
    problems.insert(problems.end(), read->begin(), read->end());
  }
  if (problems.empty())
    return bad("no problem given: name one, or --batch FILE (cortex-bench list shows the shipped ones)");
  return problems;
}

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Result<RunOptions> check_run_arguments(const RunArguments& a) {
  RunOptions o;
  if (!a.op.empty() && a.op != "conv" && a.op != "matmul" && a.op != "rnn" && a.op != "recursive") {
    return bad(fmt::format("--op: '{}' is not one of conv, matmul, rnn, recursive", a.op));
  }
  Result<Cold> cold = parse_cold(a.cold);
  if (!cold) return cold.error();
  o.cold = *cold;

  for (const std::string& name : a.backends) {
    if (Status s = check_backend(name); !s) return s.error();
    if (std::find(o.backends.begin(), o.backends.end(), name) == o.backends.end()) o.backends.push_back(name);
  }
  for (const std::string& text : a.isas) {
    Result<Isa> isa = parse_usable_isa(text);
    if (!isa) return isa.error();
    if (std::find(o.isas.begin(), o.isas.end(), *isa) == o.isas.end()) o.isas.push_back(*isa);
  }
  for (const std::string& text : a.kernels) {
    Result<KernelChoice> kernel = parse_kernel(text);
    if (!kernel) return kernel.error();
    if (std::find(o.kernels.begin(), o.kernels.end(), *kernel) == o.kernels.end())
      o.kernels.push_back(*kernel);
  }
  if (o.kernels.empty()) o.kernels.push_back(KernelChoice::automatic);
  for (int t : a.threads) {
    if (t < 1 || t > 256) return bad(fmt::format("--threads: {} is not between 1 and 256", t));
    if (std::find(o.threads.begin(), o.threads.end(), t) == o.threads.end()) o.threads.push_back(t);
  }
  if (o.threads.empty()) o.threads.push_back(1);
  if (a.repeats < 0 || a.repeats > 100000) return bad("--repeats: must be between 0 and 100000");
  // Written so that nan is refused too.
  if (!(a.min_time > 0 && a.min_time <= 1e6)) return bad("--min-time: must be above 0 and at most 1e6");
  if (!(a.time_limit >= 0 && a.time_limit <= 1e9)) return bad("--time-limit: must be between 0 and 1e9");

  Result<std::vector<RunProblem>> problems =
      gather_in_types(a.problems, a.option_problems, a.problem_lists, a.op, a.dts);
  if (!problems) return problems.error();
  if (Status s = apply_weights(a.weights, a.sparsity, *problems); !s) return s.error();
  if (Status s = check_sparse(a, *problems); !s) return s.error();
  o.sparsity = a.sparsity;
  if (a.isas.empty()) {
    Result<Isa> isa = default_isa(*problems);
    if (!isa) return isa.error();
    o.isas.push_back(*isa);
  }
  if (a.backends.empty()) o.backends = backends_for(*problems);
  if (!a.trees.empty()) {
    Result<std::string> trees = find_trees(a.trees);
    if (!trees) return trees.error();
    o.trees = std::move(*trees);
  }
  if (a.batches < 0 || a.batches > 1000000) return bad("--batches: must be between 0 and 1000000");
  o.batches = a.batches;
  if (Status s = check_trees(o.trees, *problems, o.batches); !s) return s.error();
  o.problems = std::move(*problems);
  for (const std::string& library : a.libraries) {
    if (library.empty()) return bad("--library: name a file");
  }
  o.libraries = a.libraries;
  o.verify = a.verify;
  o.plain = a.plain;
  o.quiet = a.quiet;
  o.json = a.json;
  o.csv = a.csv;
  o.html = a.html;
  o.repeats = a.repeats;
  o.min_time = a.min_time;
  o.time_limit = a.time_limit;
  o.seed = a.seed;
  // Every backend holds operands of its own, the reference one more set.
  std::size_t sets = o.backends.size() * o.kernels.size() + 1;
  if (has_zeros(o.problems) && a.mode != "estimate") sets += sparse_kernels().size();
  if (Status s = check_memory(o.problems, sets, fmt::format("{} backends", o.backends.size())); !s)
    return s.error();
  o.schedule = a.schedule;
  if (Status s = check_schedule(o); !s) return s.error();
  if (Status s = check_search(o, a); !s) return s.error();
  return o;
}

}  // namespace cortex::bench
