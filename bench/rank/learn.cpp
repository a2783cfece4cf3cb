#include "bench/rank/learn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "bench/measure/statistics.h"
#include "bench/rank/variants.h"

namespace cortex::bench {
namespace {

// What a forest may see of one ranking, in the order of its variants.
struct Lesson {
  std::string shape;
  int part = 0;
  std::vector<RankerSample> samples;  // of measured variants
  std::vector<RankerFeatures> features;
};

// The target is the error of the prediction beside the problem's median error: the order within a problem is
// what matters. Variants near the best weigh most.
Result<Lesson> lesson_of(const Ranking& ranking) {
  const Result<Nest> nest = nest_of(ranking);
  if (!nest) return nest.error();
  Lesson lesson;
  lesson.shape = ranking.shape;
  std::vector<double> errors;
  for (const Variant& v : ranking.variants) {
    const Result<Schedule> schedule = parse_schedule(v.schedule, *nest);
    if (!schedule) return schedule.error();
    lesson.features.push_back(ranker_features_of(*schedule, v.prediction));
    if (v.samples > 0) errors.push_back(std::log(v.ns / (v.prediction.seconds * 1e9)));
  }
  if (errors.empty()) return lesson;
  const double middle = median(errors), best = best_ns(ranking);
  std::size_t measured = 0;
  for (std::size_t i = 0; i < ranking.variants.size(); ++i) {
    const Variant& v = ranking.variants[i];
    if (v.samples == 0) continue;
    const double error = std::clamp(errors[measured++] - middle, -1.0, 1.0);
    const double speed = std::min(1.0, best / v.ns);
    lesson.samples.push_back(
        {lesson.features[i], static_cast<float>(error), static_cast<float>(speed * speed)});
  }
  return lesson;
}

void assign_parts(std::vector<Lesson>& lessons) {
  std::set<std::string> shapes;
  for (const Lesson& l : lessons) shapes.insert(l.shape);
  for (Lesson& l : lessons)
    l.part = static_cast<int>(std::distance(shapes.begin(), shapes.find(l.shape))) % learn_parts;
}

Forest train_without(const std::vector<Lesson>& lessons, int part) {
  std::vector<RankerSample> samples;
  for (const Lesson& l : lessons) {
    if (l.part != part) samples.insert(samples.end(), l.samples.begin(), l.samples.end());
  }
  return train_forest(samples, ForestOptions{});
}

Ranking corrected(const Ranking& ranking, const Lesson& lesson, const Forest& forest) {
  Ranking copy = ranking;
  for (std::size_t i = 0; i < copy.variants.size(); ++i) {
    const double factor = std::exp(forest.predict(lesson.features[i]));
    copy.variants[i].prediction.cycles *= factor;
    copy.variants[i].prediction.seconds *= factor;
  }
  choose_again(copy);
  return copy;
}

}  // namespace

bool Learned::better() const {
  return learned.mean.top1_over_best > analytic.mean.top1_over_best &&
         learned.mean.pairwise_accuracy >= analytic.mean.pairwise_accuracy;
}

Result<Learned> learn(const std::vector<Ranking>& rankings, const Machine& machine,
                      const std::function<void(double done)>& progress) {
  std::vector<Lesson> lessons;
  std::set<std::string> shapes;
  for (const Ranking& r : rankings) {
    Result<Lesson> lesson = lesson_of(r);
    if (!lesson) return lesson.error();
    shapes.insert(lesson->shape);
    lessons.push_back(std::move(*lesson));
  }
  if (shapes.size() < 2) {
    return invalid_argument(
        fmt::format("--learn: the records hold {} shape, and a shape must be held out: record more problems",
                    shapes.size()));
  }
  assign_parts(lessons);
  std::vector<Ranking> unseen;
  for (int part = 0; part < learn_parts; ++part) {
    if (progress) progress(static_cast<double>(part) / (learn_parts + 1));
    const Forest forest = train_without(lessons, part);
    for (std::size_t i = 0; i < rankings.size(); ++i) {
      if (lessons[i].part == part) unseen.push_back(corrected(rankings[i], lessons[i], forest));
    }
  }
  Learned result{Ranker(machine), summarize(rankings), summarize(unseen)};
  if (progress) progress(static_cast<double>(learn_parts) / (learn_parts + 1));
  result.ranker.forest = train_without(lessons, -1);
  return result;
}

}  // namespace cortex::bench
