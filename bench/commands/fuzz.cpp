#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <thread>

#include "bench/commands/commands.h"
#include "bench/fuzz/shards.h"
#include "bench/report/progress.h"
#include "bench/run/formats.h"
#include "bench/run/options.h"
#include "graph/compress/format.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

struct Arguments {
  int64_t count = 1000, first = 0;
  uint64_t seed = 1;
  std::vector<std::string> isas, ops, dts, weights;
  double time_limit = 0;
  int processes = 0, max_failures = 20;
};

Result<OpKind> ops_of(const std::vector<std::string>& names) {
  if (names.empty()) return OpKind::any;
  OpKind all = OpKind::any;
  for (std::size_t i = 0; i < names.size(); ++i) {
    Result<OpKind> op = parse_op(names[i]);
    if (!op) return op.error();
    all = i == 0 || all == *op ? *op : OpKind::any;
  }
  return all;
}

Result<FuzzOptions> check(const Arguments& a) {
  FuzzOptions o;
  if (a.count < 1) return invalid_argument(fmt::format("--count: {} is not above 0", a.count));
  if (a.first < 0) return invalid_argument(fmt::format("--first: {} is negative", a.first));
  if (a.first > INT64_MAX - a.count)
    return invalid_argument(
        fmt::format("--first: {} and --count {} go beyond {}", a.first, a.count, INT64_MAX));
  if (a.processes < 0 || a.processes > 256)
    return invalid_argument(
        fmt::format("--processes: {} is not 1 to 256, or 0 for one per core", a.processes));
  if (a.max_failures < 0)
    return invalid_argument(fmt::format("--max-failures: {} is negative", a.max_failures));
  if (!(a.time_limit >= 0)) return invalid_argument("--time-limit: must not be negative");
  Result<OpKind> op = ops_of(a.ops);
  if (!op) return op.error();
  for (const std::string& text : a.isas) {
    Result<Isa> isa = parse_usable_isa(text);
    if (!isa) return isa.error();
    o.isas.push_back(*isa);
  }
  if (a.isas.empty()) {
    Result<Isa> isa = default_isa();
    if (!isa) return isa.error();
    o.isas.push_back(a.dts.empty() ? *isa : *usable_isa(nullptr));  // narrow types have levels of their own
  }
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  o.processes = static_cast<int>(std::min<int64_t>(a.processes > 0 ? a.processes : cores, a.count));
  o.seed = a.seed;
  o.first = a.first;
  o.count = a.count;
  o.space.op = *op;
  for (const std::string& text : a.dts) {
    Result<Types> types = parse_dt(text);
    if (!types) return types.error();
    o.space.types.push_back(*types);
  }
  for (const std::string& text : a.weights) {
    o.space.zeros.emplace_back();
    if (text == "any") continue;
    const Result<WeightFormat> format = parse_weight_format(text);
    if (!format) return invalid_argument("--weights: any, or a format: " + format.error().message);
    o.space.zeros.back() = *format;
  }
  o.time_limit = a.time_limit;
  return o;
}

std::string replay_line(const Arguments& a, const FuzzOptions& o, int64_t index, Isa isa) {
  const OpKind op = o.space.op;
  const char* one = op == OpKind::conv ? " --op conv" : op == OpKind::matmul ? " --op matmul" : "";
  const std::string dts = a.dts.empty() ? "" : fmt::format(" --dt {}", fmt::join(a.dts, ","));
  const std::string weights =
      a.weights.empty() ? "" : fmt::format(" --weights {}", fmt::join(a.weights, ","));
  return fmt::format("cortex-bench fuzz --seed {} --first {} --count 1 --isa {}{}{}{}", o.seed, index,
                     isa_name(isa), one, dts, weights);
}

int run(const Arguments& a) {
  Result<FuzzOptions> options = check(a);
  if (!options) return report_error(options.error());
  const FuzzOptions& o = *options;
  const double wanted = static_cast<double>(o.count) * static_cast<double>(o.isas.size());
  say("seed {}, cases {} to {}, {} processes\n", o.seed, o.first, o.first + o.count - 1, o.processes);
  flush_output();
  if (output::closed()) return exit_failed;
  Progress progress;
  int shown = 0;
  FuzzListener listener;
  listener.progress = [&](int64_t runs) {
    progress.show(static_cast<double>(runs) / wanted, fmt::format("{} runs", runs));
  };
  listener.failed = [&](const FuzzFailure& f) {
    progress.clear();
    if (++shown > a.max_failures) return;
    say("FAILED {} on {}: {}\n  {}\n", describe(random_case(o.seed, f.index, o.space)), isa_name(f.isa),
        f.message, replay_line(a, o, f.index, f.isa));
    flush_output();
  };
  Result<FuzzReport> report = fuzz(o, listener);
  progress.clear();
  if (!report) return report_error(report.error());
  if (shown > a.max_failures) say("... and {} more failures\n", shown - a.max_failures);
  say("{} runs ({} problems, {} instruction sets): {} failures, largest error ratio {:.4f}\n", report->runs,
      report->runs / static_cast<int64_t>(o.isas.size()), o.isas.size(), report->failures.size(),
      report->largest_ratio);
  if (report->largest_ratio > 0) {
    say("largest at {}: {}\n", describe(random_case(o.seed, report->largest_index, o.space)),
        replay_line(a, o, report->largest_index, report->largest_isa));
  }
  if (report->interrupted) {
    if (!output::closed())
      complain("cortex-bench: interrupted: {} of {:.0f} runs done\n", report->runs, wanted);
    return exit_failed;
  }
  return report->failures.empty() ? exit_ok : exit_failed;
}

}  // namespace

void add_fuzz(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("fuzz", "random problems under guard pages against the reference");
  command->footer("Ctrl-C ends after the case under way, reports what was run, and exits with 1.");
  auto a = std::make_shared<Arguments>();
  command->add_option("--count", a->count, "problems (default 1000)");
  command->add_option("--seed", a->seed, "of the problems and their operands (default 1)")
      ->check(not_negative());
  command->add_option("--first", a->first, "number of the first case, to replay one");
  add_list_option(*command, "--isa", a->isas, "instruction sets, each runs every problem");
  add_list_option(*command, "--op", a->ops, "conv, matmul (default: both)");
  add_list_option(*command, "--dt", a->dts,
                  "types, drawn from these: f32, bf16, bf16f32, u8s8, s8s8, ... (default: f32)");
  add_list_option(*command, "--weights", a->weights,
                  "formats of zeros, drawn from these: any, dense, nm2of4x2, ... (default: dense)");
  command->add_option("--time-limit", a->time_limit, "seconds; fewer problems then");
  command->add_option("--processes", a->processes, "child processes (default: one per core)");
  command->add_option("--max-failures", a->max_failures, "failures to print (default 20)");
  command->callback([a, &session] { session.exit_code = run(*a); });
}

}  // namespace cortex::bench
