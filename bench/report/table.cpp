#include "bench/report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace cortex::bench {
namespace {

constexpr int name_width = 20, shape_width = 34;
constexpr int backend_width = 27;  // "us" 10, "GF/s" 8, "%peak" 6, and spaces

std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 1) + "~";
}

}  // namespace

Table::Table(std::vector<std::string> backends) : backends_(std::move(backends)) {}

std::string microseconds(double ns) {
  const double us = ns * 1e-3;
  return us < 10     ? fmt::format("{:.3f}", us)
         : us < 1000 ? fmt::format("{:.2f}", us)
                     : fmt::format("{:.0f}", us);
}

std::string Table::header() const {
  std::string first = fmt::format("{:<{}} {:<{}} {:>2}", "", name_width, "", shape_width, "");
  std::string second = fmt::format("{:<{}} {:<{}} {:>2}", "name", name_width, "shape", shape_width, "T");
  for (const std::string& backend : backends_) {
    first += fmt::format(" {:>{}}", backend, backend_width);
    second += fmt::format(" {:>11} {:>8} {:>6}", "us", "GFLOP/s", "%peak");
  }
  for (std::size_t i = 1; i < backends_.size(); ++i) {
    first += fmt::format(" {:>8}", "/" + cut(backends_[i], 7));
    second += fmt::format(" {:>8}", "speedup");
  }
  return first + "\n" + second + "\n";
}

std::string Table::lines(const std::vector<Row>& rows) const {
  const auto find = [&](const std::string& backend) -> const Row* {
    const auto it =
        std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.backend == backend; });
    return it == rows.end() ? nullptr : &*it;
  };
  std::string text;
  if (!rows.empty()) {
    const Row& any = rows.front();
    text = fmt::format("{:<{}} {:<{}} {:>2}", cut(any.name.empty() ? any.problem : any.name, name_width),
                       name_width,
                       cut((any.dt == "f32" ? "" : any.dt + " ") +
                               (any.weights == "dense" ? "" : any.weights + " ") + any.shape,
                           shape_width),
                       shape_width, any.threads);
    for (const std::string& backend : backends_) {
      if (const Row* row = find(backend)) {
        text += fmt::format(" {:>11} {:>8.1f} {:>5.1f}{}", microseconds(row->median_ns), row->gflops,
                            row->percent_of_peak, row->status == "wrong" ? "!" : " ");
      } else {
        text += fmt::format(" {:>{}}", "-", backend_width);
      }
    }
    const Row* first = backends_.empty() ? nullptr : find(backends_[0]);
    for (std::size_t i = 1; i < backends_.size(); ++i) {
      const Row* other = find(backends_[i]);
      text += first && other ? fmt::format(" {:>8.3f}", other->median_ns / first->median_ns)
                             : fmt::format(" {:>8}", "-");
    }
    text += "\n";
  }
  for (const Row& row : rows) {
    if (row.status != "wrong") continue;
    text += fmt::format("  WRONG: {} on {} (isa {}, threads {}): error ratio {:.3g}, {}\n", row.backend,
                        row.problem, row.isa, row.threads, row.error_ratio, row.where);
  }
  return text;
}

std::string refusal_lines(const std::vector<Refusal>& refusals) {
  std::map<std::pair<std::string, std::string>, std::vector<const Refusal*>> groups;
  for (const Refusal& r : refusals) groups[{r.backend, r.reason}].push_back(&r);
  std::string text;
  for (const auto& [key, group] : groups) {
    const Refusal& first = *group.front();
    text +=
        fmt::format("not run: {} on {}{}: {}\n", key.first, first.name.empty() ? first.problem : first.name,
                    group.size() > 1 ? fmt::format(" and {} more", group.size() - 1) : "", key.second);
  }
  return text;
}

}  // namespace cortex::bench
