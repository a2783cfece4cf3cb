#include "bench/rank/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/measure/statistics.h"

namespace cortex::bench {
namespace {

using Json = nlohmann::ordered_json;

void judge_pairs(const std::vector<const Variant*>& drawn, Score& score) {
  double right = 0, counted = 0, all = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    for (std::size_t j = i + 1; j < drawn.size(); ++j) {
      ++all;
      const Variant &x = *drawn[i], &y = *drawn[j];
      if (std::abs(std::log(x.ns / y.ns)) <= tie) continue;
      ++counted;
      const double px = x.prediction.cycles, py = y.prediction.cycles;
      if (px == py)
        right += 0.5;
      else if ((px < py) == (x.ns < y.ns))
        ++right;
    }
  }
  score.pairwise_accuracy = counted > 0 ? right / counted : 1;
  score.pairs_tied = all > 0 ? 1 - counted / all : 1;
}

double gap_closed(double top1, double median) {
  return median < 1 ? 1 - std::log(top1) / std::log(median) : 1;
}

}  // namespace

double best_ns(const Ranking& ranking) {
  double finalist = 1e300, any = 1e300;
  for (const Variant& v : ranking.variants) {
    if (v.samples == 0) continue;
    any = std::min(any, v.ns);
    if (v.finalist) finalist = std::min(finalist, v.ns);
  }
  return finalist < 1e300 ? finalist : any;
}

Score judge(const Ranking& ranking) {
  Score score;
  std::vector<const Variant*> drawn;
  std::vector<double> times;
  const double best = best_ns(ranking);
  double worst = 0, log_sum = 0, log_squares = 0;
  for (const Variant& v : ranking.variants) {
    if (v.samples == 0) continue;
    ++score.variants;
    if (v.place > 0) continue;
    drawn.push_back(&v);
    times.push_back(v.ns);
    worst = std::max(worst, v.ns);
    const double error = std::log(v.prediction.seconds * 1e9 / v.ns);
    log_sum += error;
    log_squares += error * error;
  }
  if (score.variants == 0 || ranking.choice < 0) return score;
  // Where a replay's choice was no finalist, its quick time may undercut the best: no better than the best.
  const auto over_best = [&](int i) {
    return std::min(1.0, best / ranking.variants[static_cast<std::size_t>(i)].ns);
  };
  score.top1_over_best = over_best(ranking.choice);
  if (ranking.measured_choice >= 0) score.measured_over_best = over_best(ranking.measured_choice);
  score.median_over_best = times.empty() ? 1 : best / median(times);
  score.worst_over_best = times.empty() ? 1 : best / worst;
  judge_pairs(drawn, score);
  score.gap_closed = gap_closed(score.top1_over_best, score.median_over_best);
  const double n = std::max<double>(1, static_cast<double>(times.size()));
  score.bias = std::exp(log_sum / n);
  score.error = std::sqrt(std::max(0.0, log_squares / n - log_sum / n * log_sum / n));
  return score;
}

RankSummary summarize(const std::vector<Ranking>& rankings) {
  RankSummary s;
  std::vector<double> top1, measured, medians, worsts, biases;
  double seconds = 0, scored = 0;
  for (const Ranking& r : rankings) {
    const Score score = judge(r);
    if (score.variants == 0) continue;
    ++s.problems;
    s.variants += score.variants;
    top1.push_back(score.top1_over_best);
    if (score.measured_over_best > 0) measured.push_back(score.measured_over_best);
    medians.push_back(score.median_over_best);
    worsts.push_back(score.worst_over_best);
    biases.push_back(score.bias);
    s.mean.pairwise_accuracy += score.pairwise_accuracy;
    s.mean.pairs_tied += score.pairs_tied;
    s.mean.error += score.error;
    s.plan_ms_max = std::max(s.plan_ms_max, r.plan_seconds * 1e3);
    seconds += r.plan_seconds;
    scored += static_cast<double>(r.scored);
  }
  if (s.problems == 0) return s;
  s.mean.top1_over_best = geometric_mean(top1);
  if (measured.size() == top1.size()) s.mean.measured_over_best = geometric_mean(measured);
  s.mean.median_over_best = geometric_mean(medians);
  s.mean.worst_over_best = geometric_mean(worsts);
  s.mean.bias = geometric_mean(biases);
  s.mean.pairwise_accuracy /= s.problems;
  s.mean.pairs_tied /= s.problems;
  s.mean.error /= s.problems;
  s.mean.gap_closed = gap_closed(s.mean.top1_over_best, s.mean.median_over_best);
  s.variants_per_second = seconds > 0 ? scored / seconds : 0;
  return s;
}

Json to_json(const Score& s) {
  return {{"variants", s.variants},
          {"top1_over_best", s.top1_over_best},
          {"measured_over_best", s.measured_over_best},
          {"median_over_best", s.median_over_best},
          {"worst_over_best", s.worst_over_best},
          {"pairwise_accuracy", s.pairwise_accuracy},
          {"pairs_tied", s.pairs_tied},
          {"gap_closed", s.gap_closed},
          {"predicted_over_measured", s.bias},
          {"prediction_error", s.error}};
}

Json to_json(const RankSummary& s) {
  Json json = {{"problems", s.problems}};
  json.update(to_json(s.mean));
  json["variants"] = s.variants;
  json["plan_ms_max"] = s.plan_ms_max;
  json["variants_per_second"] = s.variants_per_second;
  return json;
}

std::string to_line(const RankSummary& s) {
  const std::string measured =
      s.mean.measured_over_best > 0 ? fmt::format(", measured {:.4f}", s.mean.measured_over_best) : "";
  const std::string planning =
      s.plan_ms_max > 0 ? fmt::format(", planning {:.1f} ms at most, {:.2f} million variants a second",
                                      s.plan_ms_max, s.variants_per_second * 1e-6)
                        : "";
  return fmt::format(
      "{} problems, {} variants: top-1 over best {:.4f}{}, median {:.3f}, worst {:.3f}, pairwise {:.3f} "
      "({:.0f} % tied), gap closed {:.3f}{}",
      s.problems, s.variants, s.mean.top1_over_best, measured, s.mean.median_over_best,
      s.mean.worst_over_best, s.mean.pairwise_accuracy, 100 * s.mean.pairs_tied, s.mean.gap_closed, planning);
}

}  // namespace cortex::bench
