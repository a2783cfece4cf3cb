#include "bench/rank/row.h"

#include <fmt/format.h>

#include "bench/rank/judge.h"
#include "bench/report/table.h"

namespace cortex::bench {
namespace {

std::string name_of(const Ranking& r) { return r.name.empty() ? r.problem : r.name; }

}  // namespace

std::string rank_header() {
  return fmt::format("{:<20} {:<34} {:>2} {:>5} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
                     "name", "shape", "T", "n", "best us", "top-1", "measured", "median", "worst", "pairwise",
                     "closed", "pred/m", "plan ms");
}

std::string rank_line(const Ranking& r) {
  const Score s = judge(r);
  return fmt::format(
      "{:<20} {:<34} {:>2} {:>5} {:>10} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.2f} "
      "{:>8.2f}\n",
      name_of(r), r.shape, r.threads, s.variants, microseconds(best_ns(r)), s.top1_over_best,
      s.measured_over_best, s.median_over_best, s.worst_over_best, s.pairwise_accuracy, s.gap_closed, s.bias,
      r.plan_seconds * 1e3);
}

nlohmann::ordered_json to_json(const Ranking& r) {
  const Score s = judge(r);
  nlohmann::ordered_json json = {
      {"problem", r.problem}, {"name", r.name}, {"isa", r.isa}, {"threads", r.threads}};
  json.update(to_json(s));
  json["plan_ms"] = r.plan_seconds * 1e3;
  json["variants_scored"] = r.scored;
  json["choice"] = r.choice >= 0 ? r.variants[static_cast<std::size_t>(r.choice)].schedule : std::string();
  return json;
}

}  // namespace cortex::bench
