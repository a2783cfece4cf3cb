#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "bench/commands/commands.h"
#include "bench/report/csv.h"
#include "bench/report/file.h"
#include "bench/report/html.h"
#include "bench/report/progress.h"
#include "bench/report/summary.h"
#include "bench/report/table.h"
#include "bench/run/context.h"
#include "bench/run/job.h"
#include "bench/run/runner.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

using Json = nlohmann::ordered_json;

Status write_outputs(const RunOptions& o, const Json& context, const RunResults& results,
                     const std::vector<PairSummary>& summary) {
  if (!o.json.empty()) {
    Json rows = Json::array(), pairs = Json::array(), refusals = Json::array();
    for (const Row& row : results.rows) rows.push_back(to_json(row));
    for (const PairSummary& pair : summary) pairs.push_back(to_json(pair));
    for (const Refusal& refusal : results.refusals) refusals.push_back(to_json(refusal));
    Json document = {{"context", context}, {"results", rows}, {"summary", pairs}};
    if (!refusals.empty()) document["unsupported"] = refusals;
    if (Status s = write_file_atomically(o.json, json_text(document, 1)); !s) return s;
  }
  if (!o.csv.empty()) {
    if (Status s = write_file_atomically(o.csv, to_csv(results.rows)); !s) return s;
  }
  if (!o.html.empty()) {
    return write_file_atomically(o.html, to_html(context, results.rows, summary, results.refusals));
  }
  return Status::success();
}

int run(const RunArguments& arguments, const Session& session) {
  Result<RunOptions> checked = check_run_arguments(arguments);
  if (!checked) return report_error(checked.error());
  const RunOptions& options = *checked;
  std::vector<NamedFile> files = {{"--wisdom", options.wisdom, options.mode != SearchMode::estimate},
                                  {"--ranker", options.ranker, false},
                                  {"--json", options.json},
                                  {"--csv", options.csv},
                                  {"--html", options.html}};
  add_read(files, "--batch", arguments.problem_lists);
  add_read(files, "--trees", {arguments.trees});
  add_read(files, "--library", arguments.libraries);
  if (Status s = check_outputs(files); !s) return report_error(s.error());

  Json context = run_context(options, session.command_line);
  std::vector<std::string> columns;
  for (const ContestantName& c : contestants(options)) columns.push_back(c.name);
  const Table table(columns);
  Progress progress;
  std::optional<Isa> started;
  RunListener listener;
  listener.progress = [&](double done, const std::string& doing) { progress.show(done, doing); };
  listener.isa_started = [&](Isa isa, const Json& worker) {
    if (options.quiet || isa == started) return;  // a worker that crashed starts again
    started = isa;
    progress.clear();
    const int threads = *std::max_element(options.threads.begin(), options.threads.end());
    const double cores = worker.value("cores_had", static_cast<double>(threads));
    if (threads > 1 && cores < 0.9 * threads) {
      complain(
          "cortex-bench: {} threads had {:.1f} cores: something else runs here, or may not run on more; "
          "times of several threads say little\n",
          threads, cores);
    }
    say("{}, isa {}, {:.1f} GFLOP/s peak a core\n{}", cpu_brand(), isa_name(isa),
        worker.at("peak_gflops_per_core").get<double>(), table.header());
    flush_output();
  };
  listener.set_done = [&](const std::vector<Row>& rows, const std::vector<Refusal>&) {
    progress.clear();
    bool wrong = false;
    for (const Row& row : rows) wrong = wrong || row.status == "wrong";
    if (!options.quiet || wrong) say("{}", table.lines(rows));
    flush_output();
  };

  Result<RunResults> results = run_all(options, listener);
  progress.clear();
  if (!results) return report_error(results.error());

  context["libraries"] = results->versions;
  Json peaks = Json::object();
  for (const auto& [isa, worker] : results->workers.items()) peaks[isa] = worker.at("peak_gflops_per_core");
  context["peak_gflops_per_core"] = peaks;
  context["measured"] = results->workers;
  const std::vector<PairSummary> summary = summarize(results->rows);
  if (Status s = write_outputs(options, context, *results, summary); !s) return report_error(s.error());

  int wrong = 0;
  double largest = 0;
  for (const Row& row : results->rows) {
    wrong += row.status == "wrong";
    largest = std::max(largest, row.error_ratio);
  }
  if (options.verify) {
    say("verified {} results: {} wrong, largest error ratio {:.3g}\n", results->rows.size(), wrong, largest);
  }
  say("{}", refusal_lines(results->refusals));
  for (const PairSummary& pair : summary) say("{}\n", to_line(pair, options.isas.size() > 1));
  if (!results->stopped.empty()) {
    if (!output::closed()) complain("cortex-bench: {}\n", results->stopped);
    return exit_failed;
  }
  if (results->rows.empty()) return report_error(unsupported("no backend could run any of the problems"));
  return wrong > 0 ? exit_failed : exit_ok;
}

}  // namespace

void add_run(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("run", "measure problems, side by side with the peers");
  command->footer(
      "Ctrl-C ends after the measurement under way, writes what was measured, and exits with 1; a search "
      "cut\n"
      "short is repeated by the next run that asks for one.");
  auto arguments = std::make_shared<RunArguments>();
  add_run_options(*command, *arguments);
  command->callback([arguments, &session] { session.exit_code = run(*arguments, session); });
}

}  // namespace cortex::bench
