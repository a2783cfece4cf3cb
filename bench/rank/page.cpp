#include "bench/rank/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/rank/judge.h"
#include "bench/report/file.h"
#include "bench/report/html.h"

namespace cortex::bench {
namespace {

constexpr double side = 240, margin = 28;

constexpr const char* head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>cortex-bench rank</title><style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em; color: #222 }
table { border-collapse: collapse } td, th { padding: .2em .6em; text-align: right }
th { border-bottom: 1px solid #999 } .t { text-align: left }
figure { display: inline-block; margin: .5em } figcaption { font-size: 12px; text-align: center }
svg { border: 1px solid #ddd } pre { font-size: 12px }
</style></head><body>
<h1>cortex-bench rank</h1>
<p>Predicted (up) against measured time (right), over the best measured one. Grey: drawn from the whole space.
Blue: the search's best few. Red: its choice. Green: the fastest.</p>
)";

struct Axes {
  double least, most;  // of both logarithms
  double at(double x) const { return margin + (x - least) / (most - least) * (side - 2 * margin); }
};

std::string dot(const Axes& axes, double measured, double predicted, double radius, const char* colour,
                const std::string& title) {
  return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\"><title>{}</title></circle>\n",
                     axes.at(measured), side - axes.at(predicted), radius, colour, escaped(title));
}

std::string ticks(const Axes& axes) {
  std::string text;
  for (double factor : {1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0}) {
    const double x = std::log(factor);
    if (x > axes.most) break;
    text += fmt::format(
        "<text x=\"{0:.1f}\" y=\"{1:.1f}\" font-size=\"9\" text-anchor=\"middle\">{2}</text>"
        "<text x=\"{3:.1f}\" y=\"{4:.1f}\" font-size=\"9\" text-anchor=\"end\">{2}</text>\n",
        axes.at(x), side - margin + 14, factor, margin - 6, side - axes.at(x) + 3);
  }
  return text;
}

}  // namespace

std::string scatter_svg(const Ranking& ranking) {
  const Variant* best = nullptr;
  for (const Variant& v : ranking.variants) {
    if (v.samples > 0 && v.ns == best_ns(ranking)) best = &v;
  }
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{0}\" viewBox=\"0 0 {0} {0}\">\n",
      side);
  if (!best) return text + "</svg>\n";
  const auto measured = [&](const Variant& v) { return std::log(v.ns / best->ns); };
  const auto predicted = [&](const Variant& v) { return std::log(v.prediction.seconds * 1e9 / best->ns); };
  Axes axes{0, 0.3};
  for (const Variant& v : ranking.variants) {
    if (v.samples == 0) continue;
    axes.least = std::min({axes.least, measured(v), predicted(v)});
    axes.most = std::max({axes.most, measured(v), predicted(v)});
  }
  text += fmt::format("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{3:.1f}\" stroke=\"#ccc\"/>\n",
                      axes.at(axes.least), side - axes.at(axes.least), axes.at(axes.most),
                      side - axes.at(axes.most));
  text += ticks(axes);
  for (int few = 0; few < 2; ++few) {
    for (const Variant& v : ranking.variants) {
      if (v.samples > 0 && (v.place > 0) == (few == 1))
        text += dot(axes, measured(v), predicted(v), few ? 2.5 : 1.8, few ? "#3b6fb6" : "#999", v.schedule);
    }
  }
  text += dot(axes, 0, predicted(*best), 4, "#2a9d3a", "fastest: " + best->schedule);
  if (ranking.choice >= 0) {
    const Variant& v = ranking.variants[static_cast<std::size_t>(ranking.choice)];
    text += dot(axes, measured(v), predicted(v), 3, "#c22", "choice: " + v.schedule);
  }
  return text + "</svg>\n";
}

std::string to_html(const nlohmann::ordered_json& context, const std::vector<Ranking>& rankings) {
  std::string text = head;
  text += fmt::format(
      "<p>{}</p>\n<table><tr><th class=t>name</th><th class=t>shape</th><th>threads</th>"
      "<th>variants</th><th>top-1 / best</th><th>measured / best</th><th>median / best</th>"
      "<th>pairwise</th><th>gap closed</th></tr>\n",
      escaped(to_line(summarize(rankings))));
  std::string plots;
  for (const Ranking& r : rankings) {
    const Score s = judge(r);
    const std::string name = escaped(r.name.empty() ? r.problem : r.name);
    text += fmt::format(
        "<tr><td class=t>{}</td><td class=t>{}</td><td>{}</td><td>{}</td><td>{:.3f}</td>"
        "<td>{:.3f}</td><td>{:.3f}</td><td>{:.3f}</td><td>{:.3f}</td></tr>\n",
        name, escaped(r.shape), r.threads, s.variants, s.top1_over_best, s.measured_over_best,
        s.median_over_best, s.pairwise_accuracy, s.gap_closed);
    plots += fmt::format("<figure>{}<figcaption>{}, {} threads</figcaption></figure>\n", scatter_svg(r), name,
                         r.threads);
  }
  return text + "</table>\n" + plots +
         fmt::format("<h2>Context</h2><pre>{}</pre></body></html>\n", escaped(json_text(context, 2)));
}

}  // namespace cortex::bench
