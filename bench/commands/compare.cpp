#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <memory>

#include "bench/commands/commands.h"
#include "bench/measure/significance.h"
#include "bench/measure/statistics.h"
#include "bench/report/row.h"
#include "bench/report/table.h"
#include "support/text_file.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

struct Arguments {
  std::string before, after;
  std::vector<std::string> backends = {"cortex"};
  double threshold = 0.05, alpha = 0.01;
};

std::string row_key(const Row& r) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", r.problem_id(), r.backend, r.isa, r.threads, r.cold,
                     r.handling);
}

Result<std::vector<Row>> read_results(const std::string& path) {
  Result<std::string> text = read_text_file(path);
  if (!text) return text.error();
  try {
    std::vector<Row> rows;
    const auto document = nlohmann::ordered_json::parse(*text);
    for (const auto& row : document.at("results")) rows.push_back(row_from_json(row));
    return rows;
  } catch (const nlohmann::json::exception& e) {
    return invalid_argument(
        fmt::format("{}: not a result file of cortex-bench run --json ({})", path, e.what()));
  }
}

std::string shown_name(const Row& r) {
  return (r.name.empty() ? r.problem : r.name) + (r.dt == "f32" ? "" : " " + r.dt);
}

bool chosen(const Row& row, const std::vector<std::string>& backends) {
  for (const std::string& backend : backends) {
    if (backend == "all" || row.backend == backend || row.backend.rfind(backend + "-", 0) == 0) return true;
  }
  return false;
}

// A difference counts when both tests call it significant and it exceeds the threshold.
int compare(const Arguments& a) {
  if (!(a.threshold >= 0 && a.threshold <= 1e6))
    return report_error(invalid_argument("--threshold: must be between 0 and 1e6"));
  if (!(a.alpha > 0 && a.alpha < 1))
    return report_error(invalid_argument("--alpha: must be between 0 and 1"));
  Result<std::vector<Row>> before = read_results(a.before);
  if (!before) return report_error(before.error());
  Result<std::vector<Row>> after = read_results(a.after);
  if (!after) return report_error(after.error());
  std::map<std::string, const Row*> index;
  for (const Row& row : *before) index[row_key(row)] = &row;

  std::vector<std::pair<const Row*, const Row*>> common;
  for (const Row& row : *after) {
    const auto found = index.find(row_key(row));
    if (found == index.end() || !chosen(row, a.backends)) continue;
    const Row& old = *found->second;
    if (old.samples_ns.empty() || row.samples_ns.empty() || old.median_ns <= 0 || row.median_ns <= 0)
      continue;
    common.emplace_back(&old, &row);
  }
  if (common.empty()) {
    return report_error(invalid_argument(
        fmt::format("{} and {} have no result of backend {} in common (--backend all: of any)", a.before,
                    a.after, fmt::join(a.backends, ", "))));
  }

  int slower = 0, faster = 0;
  std::vector<double> ratios;
  say("{:<24} {:<18} {:<8} {:>2} {:>11} {:>11} {:>8} {:>9} {:>9}\n", "name", "backend", "isa", "T",
      "before us", "after us", "speedup", "p rank", "p mean");
  for (const auto& [before_row, after_row] : common) {
    const Row &old = *before_row, &row = *after_row;
    const double speedup = old.median_ns / row.median_ns;
    const double rank_p = mann_whitney_p(old.samples_ns, row.samples_ns);
    const double mean_p = welch_p(old.samples_ns, row.samples_ns);
    const bool significant = rank_p < a.alpha && mean_p < a.alpha;
    const char* verdict = "";
    if (significant && 1 / speedup > 1 + a.threshold) {
      ++slower;
      verdict = "SLOWER";
    } else if (significant && speedup > 1 + a.threshold) {
      ++faster;
      verdict = "faster";
    }
    say("{:<24} {:<18} {:<8} {:>2} {:>11} {:>11} {:>8.3f} {:>9.2g} {:>9.2g} {}\n", shown_name(row),
        row.backend, row.isa, row.threads, microseconds(old.median_ns), microseconds(row.median_ns), speedup,
        rank_p, mean_p, verdict);
    ratios.push_back(speedup);
  }
  say("{} results: {} significantly slower, {} faster (beyond {:.1f} %, p < {}), geomean speedup {:.3f}\n",
      common.size(), slower, faster, 100 * a.threshold, a.alpha, geometric_mean(ratios));
  return slower > 0 ? exit_failed : exit_ok;
}

}  // namespace

void add_compare(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("compare", "is B.json slower than A.json? Exit code 1 if significantly");
  auto a = std::make_shared<Arguments>();
  command->add_option("before", a->before, "result file of cortex-bench run --json")->required();
  command->add_option("after", a->after, "another, of the same problems")->required();
  add_list_option(*command, "--backend", a->backends, "whose rows (default: cortex; or all)");
  command->add_option("--threshold", a->threshold, "slowdown that matters (default 0.05: 5 %)");
  command->add_option("--alpha", a->alpha, "significance level (default 0.01)");
  command->callback([a, &session] { session.exit_code = compare(*a); });
}

}  // namespace cortex::bench
