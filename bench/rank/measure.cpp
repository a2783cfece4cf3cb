#include "bench/rank/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "bench/measure/clock.h"
#include "bench/measure/flush.h"
#include "bench/measure/statistics.h"

namespace cortex::bench {
namespace {

constexpr double block_ns = 150e3;  // a sample repeats short executions for about so long
constexpr double warm_ns = 3e6;     // longer executions need no untimed one before them
constexpr int most_rounds = 9, final_rounds = 25;
// After so many samples, variants this much slower than the best are known well enough.
constexpr double leaves_after[] = {3.0, 1.6, 1.35, 1.35, 1.2, 1.2, 1.2, 1.2, 1.2};

class Measurement {
 public:
  Measurement(Ranking& ranking, Stage& stage, const MeasureOptions& options)
      : ranking_(ranking), stage_(stage), options_(options), start_(now_ns()) {}

  Status run() {
    if (Status s = first_round(); !s) return s;
    for (int round = 1; round < most_rounds && spent() < 0.5; ++round) {
      const double limit = best() * leaves_after[round - 1];
      for (std::size_t i = 0; i < samples_.size(); ++i) {
        const std::size_t at = (i * 7 + static_cast<std::size_t>(round)) % samples_.size();
        const std::size_t v = std::gcd(samples_.size(), std::size_t{7}) == 1 ? at : i;
        if (median(samples_[v]) <= limit) take_sample(v);
        if (spent() > 0.6) break;
        report();
      }
    }
    settle();
    return finals();
  }

 private:
  double spent() const { return (now_ns() - start_) * 1e-9 / options_.seconds; }
  void report() const {
    if (options_.progress) options_.progress(std::min(spent(), 1.0));
  }

  Status first_round() {
    for (Variant& v : ranking_.variants) {
      const auto refused = [&](const Error& e) {
        return Error{e.code, fmt::format("{}, schedule {}: {}", ranking_.problem, v.schedule, e.message)};
      };
      Result<int> number = stage_.add(v.schedule);
      if (!number) return refused(number.error());
      if (Status s = stage_.check(*number); !s) return refused(s.error());
      samples_.emplace_back();
      samples_.back().push_back(once(*number));
      report();
    }
    return Status::success();
  }

  double once(int v) const {
    if (options_.cold) {
      for (const auto& range : stage_.operands(v)) flush_from_caches(range);
    }
    const double start = now_ns();
    stage_.execute(v);
    return now_ns() - start;
  }

  double sample(std::size_t index) const {
    const int v = static_cast<int>(index);
    const double typical = median(samples_[index]);
    if (options_.cold) return once(v);
    if (typical < warm_ns) stage_.execute(v);
    const int times = std::max(1, static_cast<int>(block_ns / typical));
    const double start = now_ns();
    for (int i = 0; i < times; ++i) stage_.execute(v);
    return (now_ns() - start) / times;
  }

  void take_sample(std::size_t v) {
    const double ns = sample(v);
    // The very first execution after the check is no match for a warm one.
    if (samples_[v].size() == 1 && !repeated_.count(v)) samples_[v].clear();
    repeated_.insert(v);
    samples_[v].push_back(ns);
  }

  double best() const {
    double least = 1e300;
    for (const auto& s : samples_) least = std::min(least, median(s));
    return least;
  }

  void settle() {
    for (std::size_t i = 0; i < samples_.size(); ++i) store(ranking_.variants[i], samples_[i]);
    double least = 1e300;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      const Variant& v = ranking_.variants[i];
      if (v.place == 0 || v.ns >= least) continue;
      least = v.ns;
      ranking_.measured_choice = static_cast<int>(i);
    }
  }

  static void store(Variant& v, const std::vector<double>& samples) {
    v.ns = median(samples);
    v.samples = static_cast<int>(samples.size());
    const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
    v.spread = (*high - *low) / 2 / v.ns;
  }

  Status finals() {
    std::vector<std::size_t> order(samples_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
      return ranking_.variants[x].ns < ranking_.variants[y].ns;
    });
    std::vector<std::size_t> finalists(order.begin(),
                                       order.begin() + std::min<std::ptrdiff_t>(8, std::ssize(order)));
    for (int must : {ranking_.choice, ranking_.measured_choice}) {
      const auto v = static_cast<std::size_t>(must);
      if (must >= 0 && std::find(finalists.begin(), finalists.end(), v) == finalists.end())
        finalists.push_back(v);
    }
    std::vector<std::vector<double>> last(finalists.size());
    for (int round = 0; round < final_rounds && (round < 5 || spent() < 1); ++round) {
      for (std::size_t turn = 0; turn < finalists.size(); ++turn) {
        const std::size_t i = (turn + static_cast<std::size_t>(round)) % finalists.size();
        last[i].push_back(sample(finalists[i]));
        report();
      }
    }
    for (std::size_t i = 0; i < finalists.size(); ++i) {
      Variant& v = ranking_.variants[finalists[i]];
      store(v, last[i]);
      v.finalist = true;
    }
    return Status::success();
  }

  Ranking& ranking_;
  Stage& stage_;
  const MeasureOptions& options_;
  double start_;
  std::vector<std::vector<double>> samples_;
  std::set<std::size_t> repeated_;
};

}  // namespace

Status measure_variants(Ranking& ranking, Stage& stage, const MeasureOptions& options) {
  return Measurement(ranking, stage, options).run();
}

}  // namespace cortex::bench
