#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "bench/backends/cortex_handles.h"
#include "bench/commands/commands.h"
#include "bench/measure/clock.h"
#include "bench/measure/interrupt.h"
#include "bench/measure/peak.h"
#include "bench/rank/fit.h"
#include "bench/rank/judge.h"
#include "bench/rank/learn.h"
#include "bench/rank/measure.h"
#include "bench/rank/page.h"
#include "bench/rank/record.h"
#include "bench/rank/row.h"
#include "bench/rank/variants.h"
#include "bench/report/file.h"
#include "bench/report/progress.h"
#include "bench/report/table.h"
#include "bench/run/context.h"
#include "bench/run/options.h"
#include "polyopt/machine/defaults.h"
#include "support/fnv.h"
#include "support/text_file.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::vector<std::string> problems, option_problems, batches, replay;
  std::vector<int> threads;
  std::string op, isa, machine, cold = "none", json, csv, html, fit, learn;
  std::vector<std::string> fix;
  int hold_out = 0;
  double fit_seconds = 60;
  int variants = 200, tried = 8;
  double seconds = 5, time_limit = 0;
  uint64_t seed = 1;
  bool plain = false, quiet = false;
};

Status check_arguments(Arguments& a) {
  if (a.threads.empty()) a.threads = {1};
  for (int t : a.threads) {
    if (t < 1 || t > 256) return invalid_argument(fmt::format("--threads: {} is not between 1 and 256", t));
  }
  if (a.variants < 1 || a.variants > 100000) return invalid_argument("--variants: must be from 1 to 100000");
  if (a.tried < 1 || a.tried > 100) return invalid_argument("--tried: must be from 1 to 100");
  if (!(a.seconds > 0 && a.seconds <= 1e6))
    return invalid_argument("--seconds: must be above 0 and at most 1e6");
  if (a.hold_out < 0) return invalid_argument("--hold-out: must not be negative");
  if (!(a.fit_seconds > 0)) return invalid_argument("--fit-seconds: must be above 0");
  if (!a.fit.empty() && a.replay.empty())
    return invalid_argument("--fit: needs --replay, the CSV of an earlier rank to fit to");
  if (!a.learn.empty() && a.replay.empty())
    return invalid_argument("--learn: needs --replay, the CSV of an earlier rank to learn from");
  if (!a.fix.empty() && a.fit.empty())
    return invalid_argument("--fix: it is for --fit, which finds constants");
  if (a.hold_out > 0 && a.replay.empty())
    return invalid_argument("--hold-out: needs --replay, the CSV of an earlier rank");
  if (!a.replay.empty() && !(a.problems.empty() && a.option_problems.empty() && a.batches.empty()))
    return invalid_argument("--replay: it scores what its CSV holds; leave the problems out");
  if (!(a.time_limit >= 0)) return invalid_argument("--time-limit: must not be negative");
  if (a.cold != "none" && a.cold != "all")
    return invalid_argument(fmt::format("--cold: '{}' is not one of none, all", a.cold));
  std::vector<NamedFile> files = {
      {"--json", a.json}, {"--csv", a.csv}, {"--html", a.html}, {"--fit", a.fit}, {"--learn", a.learn}};
  add_read(files, "--batch", a.batches);
  add_read(files, "--replay", a.replay);
  add_read(files, "--machine", {a.machine});
  return check_outputs(files);
}

Result<Machine> machine_of(const Arguments& a, Isa isa) {
  if (!a.machine.empty() && a.machine != "host") {
    Result<std::string> text = read_text_file(a.machine);
    if (!text) return named("--machine", text.error());
    Result<Machine> machine = parse_machine(*text, a.machine);
    if (machine) *machine = at_level(*machine, std::min(machine->isa, isa));
    return machine;
  }
  Machine machine = host_machine(isa);
  machine.ghz = measure_core_peak(isa, 0.05).ghz;
  return machine;
}

// The summary of all, and of each thread count where there are several.
int report(const Arguments& a, const Json& context, const std::vector<Ranking>& rankings) {
  if (rankings.empty()) return report_error(invalid_argument("nothing was ranked"));
  std::map<int, std::vector<Ranking>> by_threads;
  for (const Ranking& r : rankings) by_threads[r.threads].push_back(r);
  Json parts = Json::array();
  for (const auto& [threads, part] : by_threads) {
    const RankSummary summary = summarize(part);
    Json json = {{"threads", threads}};
    json.update(to_json(summary));
    parts.push_back(json);
    say("threads {}: {}\n", threads, to_line(summary));
  }
  if (!a.json.empty()) {
    Json results = Json::array();
    for (const Ranking& r : rankings) results.push_back(to_json(r));
    const Json document = {{"context", context},
                           {"results", results},
                           {"summary", to_json(summarize(rankings))},
                           {"summary_by_threads", parts}};
    if (Status s = write_file_atomically(a.json, json_text(document, 1)); !s) return report_error(s.error());
  }
  if (!a.csv.empty()) {
    if (Status s = write_file_atomically(a.csv, to_csv(rankings)); !s) return report_error(s.error());
  }
  if (!a.html.empty()) {
    if (Status s = write_file_atomically(a.html, to_html(context, rankings)); !s)
      return report_error(s.error());
  }
  return exit_ok;
}

Json context_of(const Arguments& a, const Session& session, const Machine& machine) {
  RunOptions o;
  o.isas = {machine.isa};
  o.threads = a.threads;
  o.backends = {"cortex"};
  o.plain = a.plain;
  o.verify = a.replay.empty();
  o.seed = a.seed;
  o.cold = a.cold == "all" ? Cold::all : Cold::none;
  Json context = run_context(o, session.command_line);
  context["machine"] = Json::parse(to_json(machine));
  context["replay"] = a.replay;
  context["tie"] = tie;
  return context;
}

// With predictions of `machine`, so that a refusal of what a file holds names the file.
Result<std::vector<Ranking>> read_records(const std::vector<std::string>& paths, const Machine& machine) {
  std::vector<Ranking> rankings;
  for (const std::string& path : paths) {
    Result<std::string> text = read_text_file(path);
    if (!text) return named("--replay", text.error());
    Result<std::vector<Ranking>> read = parse_rankings(*text, path);
    if (!read) return read.error();
    if (read->empty()) return invalid_argument(fmt::format("{}: it holds no variant", path));
    for (Ranking& r : *read) {
      if (Status s = predict_again(r, machine); !s)
        return Error{s.error().code, fmt::format("{}: problem '{}': {}", path, r.problem, s.error().message)};
      rankings.push_back(std::move(r));
    }
  }
  return rankings;
}

// Whether the fit does not see this problem: every n-th by its hash, at all thread counts.
bool held_out(const Ranking& r, int every) {
  return every > 0 && fnv1a(r.shape) % static_cast<uint64_t>(every) == 0;
}

int fit_and_save(const Arguments& a, const std::vector<Ranking>& rankings, Machine& machine) {
  std::vector<Ranking> seen;
  for (const Ranking& r : rankings) {
    if (!held_out(r, a.hold_out)) seen.push_back(r);
  }
  FitOptions options;
  options.seconds = a.fit_seconds;
  options.fixed = a.fix;
  Progress progress;
  options.progress = [&](double done, double loss) { progress.show(done, fmt::format("loss {:.4f}", loss)); };
  const Result<Fit> fit = fit_costs(seen, machine, options);
  progress.clear();
  if (!fit) return report_error(fit.error());
  say("fitted to {} of {} problems: loss {:.4f}, before {:.4f}\n", seen.size(), rankings.size(),
      fit->loss_after, fit->loss_before);
  for (const CostField& field : cost_fields) {
    const double was = machine.costs.*field.value, is = fit->costs.*field.value;
    if (was != is) say("  {:<26} {:>10.4g} {:>10.4g}\n", field.name, was, is);
  }
  machine.costs = fit->costs;
  if (Status s = write_file_atomically(a.fit, to_json(machine)); !s) return report_error(s.error());
  return exit_ok;
}

// Writes the ranker only where it beats the cost model.
int learn_and_save(const Arguments& a, const std::vector<Ranking>& rankings, const Machine& machine) {
  Progress progress;
  const Result<Learned> learned =
      learn(rankings, machine, [&](double done) { progress.show(done, "training"); });
  progress.clear();
  if (!learned) return report_error(learned.error());
  say("cost model:           {}\n", to_line(learned->analytic));
  say("with ranker, unseen:  {}\n", to_line(learned->learned));
  if (!learned->better()) {
    say("not kept: on shapes that it has not seen the ranker is no better; {} is not written\n", a.learn);
    return exit_ok;
  }
  if (Status s = write_file_atomically(a.learn, learned->ranker.text()); !s) return report_error(s.error());
  say("kept: {} (use it with --ranker)\n", a.learn);
  return exit_ok;
}

int replay(const Arguments& a, Machine machine, const Json& context) {
  Result<std::vector<Ranking>> rankings = read_records(a.replay, machine);
  if (!rankings) return report_error(rankings.error());
  if (!a.fit.empty()) {
    if (const int code = fit_and_save(a, *rankings, machine); code != exit_ok) return code;
  }
  if (!a.quiet) say("{}", rank_header());
  std::vector<Ranking> unseen;
  for (Ranking& r : *rankings) {
    if (Status s = predict_again(r, machine); !s) return report_error(s.error());
    if (!a.quiet) say("{}", rank_line(r));
    if (held_out(r, a.hold_out)) unseen.push_back(r);
  }
  if (!a.learn.empty()) {
    if (const int code = learn_and_save(a, *rankings, machine); code != exit_ok) return code;
  }
  if (a.hold_out > 0) say("held out: {}\n", to_line(summarize(unseen)));
  return report(a, context, *rankings);
}

// Contexts, pools and the clock that all problems share.
class Runner {
 public:
  Runner(const Arguments& a, const Machine& machine) : a_(a), machine_(machine), deadline_(a.time_limit) {}

  Status start() {
    cortex_context_options options{};
    options.struct_size = sizeof options;
    options.max_isa = isa_name(machine_.isa);
    cortex_context* context = nullptr;
    cortex_message message;
    if (cortex_status s = cortex_context_create(&options, &context, &message); s) return failure(s, message);
    context_.reset(context);
    for (int threads : a_.threads) {
      if (threads == 1) continue;
      cortex_thread_pool* pool = nullptr;
      if (cortex_status s = cortex_thread_pool_create(threads, &pool, &message); s)
        return failure(s, message);
      pools_[threads].reset(pool);
    }
    return Status::success();
  }

  bool out_of_time() const { return deadline_.passed(); }

  Result<Ranking> rank(const Problem& problem, int threads, std::size_t left,
                       const std::function<void(double)>& progress) {
    VariantOptions options;
    options.threads = threads;
    options.plain = a_.plain;
    options.drawn = a_.variants;
    options.tried = a_.tried;
    options.seed = a_.seed;
    Result<Ranking> ranking = choose_variants(problem, machine_, options);
    if (!ranking) return ranking;
    const auto pool = pools_.find(threads);
    Result<std::unique_ptr<Stage>> stage =
        Stage::make(problem, context_.get(), pool == pools_.end() ? nullptr : pool->second.get(), threads,
                    a_.plain, a_.seed);
    if (!stage) return stage.error();
    MeasureOptions measure;
    measure.seconds = a_.seconds;
    if (deadline_.limited())
      measure.seconds = std::clamp(deadline_.seconds_left() / static_cast<double>(left), 0.1, a_.seconds);
    measure.cold = a_.cold == "all";
    measure.progress = progress;
    measure.cancelled = interrupted;
    if (Status s = measure_variants(*ranking, **stage, measure); !s) return s.error();
    return ranking;
  }

 private:
  const Arguments& a_;
  const Machine& machine_;
  Deadline deadline_;
  ContextHandle context_;
  std::map<int, PoolHandle> pools_;
};

int run(Arguments a, const Session& session) {
  if (Status s = check_arguments(a); !s) return report_error(s.error());
  Result<OpKind> op = parse_op(a.op);
  if (!op) return report_error(op.error());
  Result<Isa> isa = a.isa.empty() ? default_isa() : parse_usable_isa(a.isa);
  if (!isa) return report_error(isa.error());
  Result<Machine> machine = machine_of(a, *isa);
  if (!machine) return report_error(machine.error());
  const Json context = context_of(a, session, *machine);
  if (!a.replay.empty()) return replay(a, *machine, context);
  Result<std::vector<Problem>> problems =
      gather_problems(joined(a.problems, a.option_problems), a.batches, *op);
  if (!problems) return report_error(problems.error());

  Runner runner(a, *machine);
  if (Status s = runner.start(); !s) return report_error(s.error());
  if (!a.quiet)
    say("{}, isa {}, {:.2f} GHz\n{}", machine->name, isa_name(machine->isa), machine->ghz, rank_header());
  const InterruptGuard guard;
  Progress progress;
  std::vector<Ranking> rankings;
  const std::size_t all = problems->size() * a.threads.size();
  std::size_t done = 0;
  for (const Problem& problem : *problems) {
    for (int threads : a.threads) {
      if (runner.out_of_time() || interrupted()) break;
      Result<Ranking> ranking = runner.rank(problem, threads, all - done, [&](double part) {
        progress.show((static_cast<double>(done) + part) / static_cast<double>(all),
                      problem.name.empty() ? problem.text : problem.name);
      });
      progress.clear();
      if (!ranking) return report_error(ranking.error());
      if (interrupted()) break;  // not all of its variants ran
      ++done;
      if (!a.quiet) say("{}", rank_line(*ranking));
      flush_output();
      rankings.push_back(std::move(*ranking));
    }
  }
  const bool cut = done < all && interrupted();
  if (done < all && !cut) say("time limit: {} of {} left out\n", all - done, all);
  if (!cut || !rankings.empty()) {
    if (const int code = report(a, context, rankings); code != exit_ok || !cut) return code;
  }
  if (!output::closed()) complain("cortex-bench: interrupted: {} of {} ranked\n", done, all);
  return exit_failed;
}

}  // namespace

void add_rank(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("rank", "predicted order against measured order of variants of each problem");
  command->footer(
      "Ctrl-C leaves out the problem under way and those after it, reports the rest, and exits with 1.");
  auto a = std::make_shared<Arguments>();
  command->add_option("problem", a->problems, "problem lines");
  command->add_option("--problem", a->option_problems, "the same, for one that begins with options")
      ->allow_extra_args(false);
  command->add_option("--batch", a->batches, "file of problems, or the name of a shipped list")
      ->allow_extra_args(false);
  command->add_option("--op", a->op, "conv or matmul");
  add_list_option(*command, "--threads", a->threads, "thread counts (default: 1)");
  command->add_option("--isa", a->isa, "instruction set (default: the best this CPU has)");
  command->add_option("--machine", a->machine, "machine description (JSON) to predict with; default: host");
  command->add_option("--variants", a->variants, "drawn from the space, per problem (default 200)");
  command->add_option("--tried", a->tried, "the search's best that measure mode tries (default 8)");
  command->add_option("--seconds", a->seconds, "to spend on one problem and thread count (default 5)");
  command->add_option("--time-limit", a->time_limit,
                      "seconds for everything; what is left then is not ranked");
  command->add_option("--cold", a->cold, "flush operands before each execution: none, all");
  command->add_flag("--plain", a->plain, "matmul: weights not packed ahead of time");
  command->add_option("--seed", a->seed, "of variants and operands")->check(not_negative());
  command
      ->add_option("--replay", a->replay, "CSV of an earlier rank: score its variants again, measure nothing")
      ->allow_extra_args(false);
  command->add_option("--fit", a->fit,
                      "with --replay: fit the cost model's constants to it, write the machine here");
  command->add_option("--fit-seconds", a->fit_seconds, "time for that (default 60)");
  add_list_option(*command, "--fix", a->fix, "constants that --fit leaves alone");
  command->add_option(
      "--learn", a->learn,
      "with --replay: train a ranker on it, write it here if it beats the cost model on shapes it\n"
      "has not seen");
  command->add_option("--hold-out", a->hold_out,
                      "keep every n-th problem from the fit, and score these apart");
  command->add_option("--json", a->json, "write results here");
  command->add_option("--csv", a->csv, "write every variant here: schedule, times, predictions, traffic");
  command->add_option("--html", a->html, "write a page with scatter plots here");
  command->add_flag("--quiet", a->quiet, "print the summary only");
  command->callback([a, &session] { session.exit_code = run(*a, session); });
}

}  // namespace cortex::bench
