#include "bench/report/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "bench/measure/statistics.h"

namespace cortex::bench {
namespace {

bool is_cortex(const std::string& backend) {
  return backend.rfind("cortex", 0) == 0 && backend != "cortex-dense";
}

using ByBackend = std::map<std::string, const Row*>;

struct Group {  // one ISA, type, weight format and thread count
  std::string isa, dt, weights;
  int threads = 1;
  std::vector<std::string> problem_order, backend_order;
  std::map<std::string, ByBackend> rows;  // by problem_id
};

std::vector<Group> group_rows(const std::vector<Row>& rows) {
  std::vector<Group> groups;
  for (const Row& row : rows) {
    if (row.status == "wrong" || row.median_ns <= 0) continue;
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
      return g.isa == row.isa && g.dt == row.dt && g.weights == row.weights && g.threads == row.threads;
    });
    if (group == groups.end()) {
      groups.push_back({row.isa, row.dt, row.weights, row.threads, {}, {}, {}});
      group = groups.end() - 1;
    }
    const std::string id = row.problem_id();
    if (!group->rows.count(id)) group->problem_order.push_back(id);
    group->rows[id][row.backend] = &row;
    auto& order = group->backend_order;
    if (std::find(order.begin(), order.end(), row.backend) == order.end()) order.push_back(row.backend);
  }
  return groups;
}

using Pick = std::function<const Row*(const ByBackend&)>;

const Row* pick_one(const ByBackend& rows, const std::string& backend) {
  const auto it = rows.find(backend);
  return it == rows.end() ? nullptr : it->second;
}

const Row* pick_best_peer(const ByBackend& rows) {
  const Row* best = nullptr;
  for (const auto& [backend, row] : rows) {
    if (!is_cortex(backend) && (!best || row->median_ns < best->median_ns)) best = row;
  }
  return best;
}

void add_pair(const Group& group, const std::string& ours, const std::string& theirs, const Pick& peer,
              std::vector<PairSummary>& out) {
  PairSummary s;
  s.pair = ours + "/" + theirs;
  s.isa = group.isa;
  s.dt = group.dt;
  s.weights = group.weights;
  s.threads = group.threads;
  std::vector<double> speedups, peaks, peer_peaks, ideals;
  for (const std::string& id : group.problem_order) {
    const ByBackend& rows = group.rows.at(id);
    const Row *mine = pick_one(rows, ours), *other = peer(rows);
    if (!mine || !other) continue;
    const double speedup = other->median_ns / mine->median_ns;
    if (speedups.empty() || speedup < s.worst) {
      s.worst = speedup;
      s.worst_name = mine->name.empty() ? mine->problem : mine->name;
    }
    speedups.push_back(speedup);
    ideals.push_back(1 / mine->density);
    s.wins += speedup > 1;
    s.losses += speedup < 1;
    if (mine->percent_of_peak > 0) peaks.push_back(mine->percent_of_peak);
    if (other->percent_of_peak > 0) peer_peaks.push_back(other->percent_of_peak);
  }
  if (speedups.empty()) return;
  s.geomean_speedup = geometric_mean(speedups);
  s.ideal = geometric_mean(ideals);
  if (!peaks.empty()) s.percent_of_peak = geometric_mean(peaks);
  if (!peer_peaks.empty()) s.peer_percent_of_peak = geometric_mean(peer_peaks);
  s.problems = static_cast<int>(speedups.size());
  out.push_back(s);
}

}  // namespace

std::vector<PairSummary> summarize(const std::vector<Row>& rows) {
  std::vector<PairSummary> out;
  for (const Group& group : group_rows(rows)) {
    std::vector<std::string> ours, peers;
    for (const std::string& backend : group.backend_order)
      (is_cortex(backend) ? ours : peers).push_back(backend);
    for (const std::string& mine : ours) {
      for (const std::string& peer : peers) {
        add_pair(
            group, mine, peer, [&](const ByBackend& r) { return pick_one(r, peer); }, out);
      }
      if (peers.size() > 1) add_pair(group, mine, "best", pick_best_peer, out);
    }
    for (const std::string& mine : ours) {
      if (mine == "cortex-interpreted") continue;
      if (std::find(ours.begin(), ours.end(), "cortex-interpreted") == ours.end()) continue;
      add_pair(
          group, mine, "cortex-interpreted",
          [](const ByBackend& r) { return pick_one(r, "cortex-interpreted"); }, out);
    }
  }
  return out;
}

nlohmann::ordered_json to_json(const PairSummary& s) {
  return {{"pair", s.pair},
          {"threads", s.threads},
          {"isa", s.isa},
          {"dt", s.dt},
          {"weights", s.weights},
          {"ideal_speedup", s.ideal},
          {"geomean_speedup", s.geomean_speedup},
          {"wins", s.wins},
          {"losses", s.losses},
          {"worst", s.worst},
          {"worst_name", s.worst_name},
          {"percent_of_peak", s.percent_of_peak},
          {"peer_percent_of_peak", s.peer_percent_of_peak},
          {"problems", s.problems}};
}

std::string to_line(const PairSummary& s, bool with_isa) {
  const bool dense = s.weights == "dense";
  return fmt::format(
      "{}{}{}{} threads {}: geomean speedup {:.3f}{} over {} problems, wins {}, losses {}, worst {:.3f} "
      "({}), "
      "peak {:.1f} % against {:.1f} %",
      s.pair, with_isa ? " " + s.isa : "", s.dt == "f32" ? "" : " " + s.dt, dense ? "" : " " + s.weights,
      s.threads, s.geomean_speedup, dense ? "" : fmt::format(" (by flops {:.3f})", s.ideal), s.problems,
      s.wins, s.losses, s.worst, s.worst_name, s.percent_of_peak, s.peer_percent_of_peak);
}

}  // namespace cortex::bench
