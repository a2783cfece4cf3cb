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

constexpr double block_ns = 200e3;  // a sample repeats short executions for about so long
constexpr double warm_ns = 400e3;   // and follows untimed ones of at least so long: others used the caches
constexpr double long_ns = 3e6;     // executions that are their own warm-up
constexpr int most_rounds = 9;
constexpr std::size_t finalists = 8;
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
    finals();
    return Status::success();
  }

 private:
  bool stopped() const { return options_.cancelled && options_.cancelled(); }
  double spent() const {
    if (stopped()) return 1e9;
    return seconds_spent();
  }
  double seconds_spent() const { return (now_ns() - start_) * 1e-9 / options_.seconds; }
  void report() const {
    if (options_.progress) options_.progress(std::min(spent(), 1.0));
  }

  Status first_round() {
    for (Variant& v : ranking_.variants) {
      if (stopped() && !samples_.empty()) break;
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
    for (double warmed = 0; typical < long_ns && warmed < warm_ns; warmed += typical) stage_.execute(v);
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

  static void store(Variant& v, const std::vector<double>& samples) {
    v.ns = median(samples);
    v.samples = static_cast<int>(samples.size());
    const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
    v.spread = (*high - *low) / 2 / v.ns;
  }

  // Side by side until the share of the budget is spent; these samples alone count from here on.
  void sample_again(const std::vector<std::size_t>& who, double until, int least, int most) {
    std::vector<std::vector<double>> taken(who.size());
    for (int round = 0; round < most && (round < (stopped() ? 1 : least) || spent() < until); ++round) {
      for (std::size_t turn = 0; turn < who.size(); ++turn) {
        const std::size_t i = (turn + static_cast<std::size_t>(round)) % who.size();
        taken[i].push_back(sample(who[i]));
        report();
      }
    }
    for (std::size_t i = 0; i < who.size(); ++i) store(ranking_.variants[who[i]], taken[i]);
  }

  std::size_t fastest(const std::vector<std::size_t>& who) const {
    return *std::min_element(who.begin(), who.end(), [&](std::size_t x, std::size_t y) {
      return ranking_.variants[x].ns < ranking_.variants[y].ns;
    });
  }

  // Measure mode tries the search's few; the fastest of those and of the drawn ones is the best. Both are
  // picked by one set of samples and judged, beside the choice, by another: the minimum of many noisy
  // times is too small.
  void finals() {
    std::vector<std::size_t> order, tried;
    for (std::size_t i = 0; i < samples_.size(); ++i) {
      store(ranking_.variants[i], samples_[i]);
      order.push_back(i);
      if (ranking_.variants[i].place > 0) tried.push_back(i);
    }
    std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
      return ranking_.variants[x].ns < ranking_.variants[y].ns;
    });
    order.resize(std::min(order.size(), finalists));
    std::set<std::size_t> both(order.begin(), order.end());
    both.insert(tried.begin(), tried.end());
    both.insert(static_cast<std::size_t>(ranking_.choice));
    const std::vector<std::size_t> all(both.begin(), both.end());
    sample_again(all, 0.75, 5, 15);
    std::set<std::size_t> few = {static_cast<std::size_t>(ranking_.choice), fastest(all)};
    if (!tried.empty()) {
      ranking_.measured_choice = static_cast<int>(fastest(tried));
      few.insert(fastest(tried));
    }
    const std::vector<std::size_t> last(few.begin(), few.end());
    sample_again(last, 1, 7, 40);
    for (std::size_t i : last) ranking_.variants[i].finalist = true;
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
