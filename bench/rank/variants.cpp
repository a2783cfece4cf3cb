#include "bench/rank/variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "bench/reference/shapes.h"
#include "graph/lower/lower.h"
#include "polyopt/model/predict.h"
#include "polyopt/search/sample.h"
#include "polyopt/search/search.h"

namespace cortex::bench {
namespace {

Result<Nest> nest_of(const Problem& problem, bool plain) {
  Result<Nest> lowered = lower(problem);
  if (!lowered) return lowered.error();
  lowered->b_constant = lowered->b_constant && !plain;
  return coalesce(*lowered);
}

}  // namespace

Result<Ranking> choose_variants(const Problem& problem, const Machine& machine, const VariantOptions& o) {
  Ranking ranking;
  ranking.problem = problem.text;
  ranking.name = problem.name;
  ranking.shape = short_shape(problem);
  ranking.isa = isa_name(machine.isa);
  ranking.threads = o.threads;
  ranking.plain = o.plain && problem.is_matmul();
  const Result<Nest> nest = nest_of(problem, ranking.plain);
  if (!nest) return nest.error();
  SearchOptions options;
  options.threads = o.threads;
  options.prepacked_b = !ranking.plain;
  // Estimate mode as it is used, for its time; then once more for the next best.
  const Result<SearchResult> answer = search(*nest, machine, options);
  if (!answer) return answer.error();
  ranking.plan_seconds = answer->seconds;
  ranking.scored = answer->variants_scored;
  options.keep = std::max(o.tried, 1);
  const Result<SearchResult> few = search(*nest, machine, options);
  if (!few) return few.error();
  const Result<std::vector<Schedule>> drawn = sample_schedules(*nest, machine, options, o.drawn, o.seed);
  if (!drawn) return drawn.error();

  std::set<std::string> seen;
  for (const Candidate& c : few->best) {
    Variant v;
    v.schedule = to_string(c.schedule, *nest);
    v.prediction = c.prediction;
    v.place = static_cast<int>(ranking.variants.size()) + 1;
    if (seen.insert(v.schedule).second) ranking.variants.push_back(std::move(v));
  }
  ranking.choice = 0;
  for (const Schedule& schedule : *drawn) {
    Variant v;
    v.schedule = to_string(schedule, *nest);
    Result<Prediction> prediction = predict(*nest, schedule, machine, o.threads);
    if (!prediction) return prediction.error();
    v.prediction = std::move(*prediction);
    if (seen.insert(v.schedule).second) ranking.variants.push_back(std::move(v));
  }
  return ranking;
}

Result<Nest> nest_of(const Ranking& ranking) {
  const Result<Problem> problem = parse_problem(ranking.problem);
  if (!problem) return problem.error();
  return nest_of(*problem, ranking.plain);
}

void choose_again(Ranking& ranking, int tried) {
  std::vector<int> order;
  for (int i = 0; i < static_cast<int>(ranking.variants.size()); ++i) {
    if (ranking.variants[static_cast<std::size_t>(i)].samples > 0) order.push_back(i);
  }
  const auto at = [&](int i) -> const Variant& { return ranking.variants[static_cast<std::size_t>(i)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](int x, int y) { return at(x).prediction.cycles < at(y).prediction.cycles; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(tried)));
  ranking.choice = ranking.measured_choice = order.empty() ? -1 : order.front();
  for (int i : order) {
    if (at(i).ns < at(ranking.measured_choice).ns) ranking.measured_choice = i;
  }
}

Status predict_again(Ranking& ranking, const Machine& machine) {
  const Result<Problem> problem = parse_problem(ranking.problem);
  if (!problem) return problem.error();
  const Result<Nest> nest = nest_of(*problem, ranking.plain);
  if (!nest) return nest.error();
  ranking.shape = short_shape(*problem);
  for (Variant& v : ranking.variants) {
    Result<Schedule> schedule = parse_schedule(v.schedule, *nest);
    if (!schedule) return schedule.error();
    Result<Prediction> prediction = predict(*nest, *schedule, machine, ranking.threads);
    if (!prediction) return prediction.error();
    v.prediction = std::move(*prediction);
  }
  choose_again(ranking);
  return Status::success();
}

}  // namespace cortex::bench
