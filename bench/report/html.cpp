#include "bench/report/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/report/file.h"
#include "bench/report/table.h"

namespace cortex::bench {
std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

namespace {

constexpr const char* head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>cortex-bench</title><style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .2em .6em; text-align: right }
th { border-bottom: 1px solid #999 } td.t, th.t { text-align: left } tr.set td { border-top: 1px solid #ddd }
.bar { display: inline-block; height: .8em; background: #4477aa } .peer .bar { background: #bbb }
.wrong { color: #b00; font-weight: bold } code { font-size: 12px } td.b { width: 16em; text-align: left }
</style></head><body>
)";

std::string summary_table(const std::vector<PairSummary>& summary) {
  std::string text =
      "<h2>Summary</h2><table><tr><th class=t>pair</th><th class=t>isa</th><th>threads</th><th>geomean "
      "speedup</th>"
      "<th>wins</th><th>losses</th><th>worst</th><th class=t>at</th><th>% of peak</th><th>peer's</th></tr>\n";
  for (const PairSummary& s : summary) {
    text += fmt::format(
        "<tr><td class=t>{}</td><td class=t>{}</td><td>{}</td><td>{:.3f}</td><td>{}</td><td>{}</td>"
        "<td>{:.3f}</td><td class=t>{}</td><td>{:.1f}</td><td>{:.1f}</td></tr>\n",
        escaped(s.pair), s.isa, s.threads, s.geomean_speedup, s.wins, s.losses, s.worst,
        escaped(s.worst_name), s.percent_of_peak, s.peer_percent_of_peak);
  }
  return text + "</table>\n";
}

std::string results_table(const std::vector<Row>& rows) {
  std::string text =
      "<h2>Results</h2><table><tr><th class=t>name</th><th class=t>problem</th><th class=t>backend</th>"
      "<th class=t>isa</th><th>threads</th><th>us</th><th>GFLOP/s</th><th>% of peak</th><th class=t></th>"
      "<th>error ratio</th></tr>\n";
  std::string last;
  for (const Row& r : rows) {
    const std::string set = fmt::format("{} {} {}", r.problem_id(), r.isa, r.threads);
    text += fmt::format(
        "<tr class=\"{}{}\" title=\"{}\"><td class=t>{}</td><td class=t><code>{}</code></td><td "
        "class=t>{}</td>"
        "<td class=t>{}</td><td>{}</td><td>{}</td><td>{:.1f}</td><td>{:.1f}</td>"
        "<td class=b><span class=bar style=\"width:{:.1f}%\"></span></td><td class={}>{}</td></tr>\n",
        set == last ? "" : "set", r.backend.rfind("cortex", 0) == 0 ? "" : " peer",
        escaped(r.kernel + " " + r.schedule), escaped(r.name),
        escaped(r.dt == "f32" ? r.problem : r.dt + " " + r.problem), escaped(r.backend), r.isa, r.threads,
        microseconds(r.median_ns), r.gflops, r.percent_of_peak, std::clamp(r.percent_of_peak, 0.0, 100.0),
        r.status == "wrong" ? "wrong" : "n", r.error_ratio < 0 ? "" : fmt::format("{:.3g}", r.error_ratio));
    last = set;
  }
  return text + "</table>\n";
}

}  // namespace

std::string to_html(const nlohmann::ordered_json& context, const std::vector<Row>& rows,
                    const std::vector<PairSummary>& summary, const std::vector<Refusal>& refusals) {
  std::string text = head;
  text += fmt::format("<h1>cortex-bench</h1><p>{}, {}</p>\n", escaped(context.value("cpu", "")),
                      escaped(context.value("date", "")));
  text += summary_table(summary) + results_table(rows);
  if (!refusals.empty()) {
    text += "<h2>Not run</h2><ul>\n";
    for (const Refusal& r : refusals) {
      text += fmt::format("<li>{} on <code>{}</code> ({}, {} threads): {}</li>\n", escaped(r.backend),
                          escaped(r.problem), r.isa, r.threads, escaped(r.reason));
    }
    text += "</ul>\n";
  }
  text += fmt::format("<h2>Context</h2><pre>{}</pre></body></html>\n", escaped(json_text(context, 2)));
  return text;
}

}  // namespace cortex::bench
