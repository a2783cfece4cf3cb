#include "bench/rank/fit.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>

#include "bench/measure/clock.h"
#include "bench/rank/judge.h"
#include "bench/rank/variants.h"
#include "polyopt/model/score.h"

namespace cortex::bench {
namespace {

constexpr double temperature = 0.01;  // of predicted times that are as good as equal
constexpr double regret_weight = 10, bias_weight = 0.3;
constexpr double prior_weight = 4e-4;  // constants that hardly matter stay near where they were

// A ranking ready to be scored again and again.
struct Case {
  NestFacts facts;
  std::deque<PlanChains> chains;
  std::vector<LoopPlan> plans;
  std::vector<double> log_ns, weight, log_loss;  // measured; of each variant; over the best
};

Result<bool> prepare(const Ranking& ranking, Case& c) {
  const Result<Nest> nest = nest_of(ranking);
  if (!nest) return nest.error();
  Result<NestFacts> facts = gather_facts(*nest);
  if (!facts) return facts.error();
  c.facts = std::move(*facts);
  const double best = best_ns(ranking);
  for (const Variant& v : ranking.variants) {
    if (v.samples == 0) continue;
    const Result<Schedule> schedule = parse_schedule(v.schedule, *nest);
    if (!schedule) return schedule.error();
    if (Status s = check(*schedule, *nest); !s) return s.error();
    Result<LoopPlan> plan = to_plan(*nest, *schedule, ranking.threads, c.chains.emplace_back());
    if (!plan) return plan.error();
    c.plans.push_back(*plan);
    c.log_ns.push_back(std::log(v.ns));
    c.log_loss.push_back(std::max(0.0, std::log(v.ns / best)));
    c.weight.push_back(std::pow(std::min(1.0, best / v.ns), 4));
  }
  return !c.plans.empty();
}

double loss_of(const Case& c, const Machine& machine, std::vector<double>& predicted) {
  const Model model(c.facts, machine);
  predicted.clear();
  double least = 1e300, weights = 0, mean = 0;
  for (std::size_t i = 0; i < c.plans.size(); ++i) {
    const double log_time = std::log(model.score(c.plans[i]) / machine.ghz);
    predicted.push_back(log_time);
    least = std::min(least, log_time);
    weights += c.weight[i];
    mean += c.weight[i] * (log_time - c.log_ns[i]);
  }
  mean /= weights;
  double squares = 0, regret = 0, chosen = 0;
  for (std::size_t i = 0; i < c.plans.size(); ++i) {
    const double error = predicted[i] - c.log_ns[i] - mean;
    squares += c.weight[i] * error * error;
    const double p = std::exp((least - predicted[i]) / temperature);
    chosen += p;
    regret += p * c.log_loss[i];
  }
  return std::sqrt(squares / weights) + regret_weight * regret / chosen + bias_weight * std::abs(mean);
}

double loss_of(const std::deque<Case>& cases, const Machine& machine, const Costs& start) {
  std::vector<double> predicted;
  double sum = 0, moved = 0;
  for (const Case& c : cases) sum += loss_of(c, machine, predicted);
  for (const CostField& field : cost_fields) {
    const double is = machine.costs.*field.value, was = start.*field.value;
    if (is != was && is > 0 && was > 0) moved += std::pow(std::log(is / was), 2);
  }
  return sum / static_cast<double>(cases.size()) + prior_weight * moved;
}

bool is_fixed(const CostField& field, const FitOptions& options) {
  return std::count(options.fixed.begin(), options.fixed.end(), field.name) > 0;
}

void move_some(Costs& costs, const FitOptions& options, std::mt19937_64& random) {
  std::normal_distribution<double> by(0, 0.7);
  std::bernoulli_distribution moved(0.15);
  for (const CostField& field : cost_fields) {
    if (moved(random) && !is_fixed(field, options)) costs.*field.value *= std::exp(by(random));
  }
}

// One constant after the other, in steps that grow where they help and shrink where not. Returns the loss.
double descend(const std::deque<Case>& cases, const Machine& start, const FitOptions& options,
               const Deadline& deadline, Machine& machine) {
  double loss = loss_of(cases, machine, start.costs);
  std::array<double, cost_fields.size()> step;
  step.fill(0.4);
  bool moving = true;
  while (moving && !deadline.passed()) {
    moving = false;
    for (std::size_t i = 0; i < cost_fields.size() && !deadline.passed(); ++i) {
      const CostField& field = cost_fields[i];
      if (step[i] < 0.02 || is_fixed(field, options)) continue;
      double& value = machine.costs.*field.value;
      const double before = value, before_loss = loss;
      for (const double direction : {1.0, -1.0}) {
        value = before * std::exp(direction * step[i]);
        const double now = loss_of(cases, machine, start.costs);
        if (now < loss - 1e-6) {
          loss = now;
          break;
        }
        value = before;
      }
      step[i] *= loss < before_loss ? 1.3 : 0.5;
      moving = moving || step[i] >= 0.02;
    }
  }
  return loss;
}

}  // namespace

Result<Fit> fit_costs(const std::vector<Ranking>& rankings, const Machine& start, const FitOptions& options) {
  std::deque<Case> cases;
  for (const Ranking& r : rankings) {
    const Result<bool> ready = prepare(r, cases.emplace_back());
    if (!ready) return ready.error();
    if (!*ready) cases.pop_back();
  }
  if (cases.empty()) return invalid_argument("--fit: no measured variants to fit to");
  Fit fit;
  fit.loss_before = fit.loss_after = loss_of(cases, start, start.costs);
  fit.costs = start.costs;
  const Deadline deadline(options.seconds);
  std::mt19937_64 random(1);
  // The descent ends where no constant alone does better: it starts again from the best so far, some moved.
  while (!deadline.passed()) {
    Machine machine = start;
    machine.costs = fit.costs;
    if (fit.loss_after < fit.loss_before) move_some(machine.costs, options, random);
    const double loss = descend(cases, start, options, deadline, machine);
    if (loss < fit.loss_after) {
      fit.loss_after = loss;
      fit.costs = machine.costs;
    } else if (fit.loss_after == fit.loss_before) {
      break;
    }
    if (!deadline.limited()) break;
    if (options.progress) options.progress(1 - deadline.seconds_left() / options.seconds, fit.loss_after);
  }
  return fit;
}

}  // namespace cortex::bench
