#include "polyopt/search/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "polyopt/model/predict.h"
#include "polyopt/model/score.h"
#include "polyopt/search/enumerate.h"

namespace cortex {
namespace {

struct Contender {
  const Roles* roles;
  const KernelInfo* kernel;
  double bare;
};

// Kernels by what they cost without any memory system: the search goes through the promising ones.
std::vector<Contender> rank_kernels(SearchSpace& space, const Nest& nest, const std::vector<Roles>& roles) {
  std::vector<Contender> all;
  for (const Roles& r : roles) {
    for (const KernelInfo* kernel : usable_kernels(nest, r, space.model.machine())) {
      all.push_back({&r, kernel, bare_cycles(space, r, *kernel)});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& x, const auto& y) { return x.bare < y.bare; });
  return all;
}

// Plans of one family differ in block sizes alone.
bool same_family(const LoopPlan& x, const LoopPlan& y) {
  if (x.kernel != y.kernel || x.m_dim != y.m_dim || x.loops != y.loops ||
      (x.a_pack >= 0) != (y.a_pack >= 0) || (x.b_pack >= 0) != (y.b_pack >= 0)) {
    return false;
  }
  for (int i = 0; i < x.loops; ++i) {
    const PlanLoop &l = x.loop[i], &r = y.loop[i];
    if (l.dim != r.dim || l.threads != r.threads || l.split != r.split) return false;
  }
  return true;
}

// The best plan, then the best of other families as long as they are promising, then whatever scores next:
// trying several nearly equal plans teaches little.
std::vector<ScoredPlan> choose_diverse(std::vector<ScoredPlan> pool, std::size_t count) {
  constexpr double promising = 1.08;
  std::stable_sort(pool.begin(), pool.end(),
                   [](const ScoredPlan& x, const ScoredPlan& y) { return x.cycles < y.cycles; });
  std::vector<ScoredPlan> chosen, rest;
  for (const ScoredPlan& p : pool) {
    const bool known = std::any_of(chosen.begin(), chosen.end(),
                                   [&](const ScoredPlan& c) { return same_family(c.plan, p.plan); });
    const bool take = chosen.size() < count && !known && p.cycles <= promising * pool.front().cycles;
    (take ? chosen : rest).push_back(p);
  }
  rest.resize(std::min(rest.size(), count - chosen.size()));
  chosen.insert(chosen.end(), rest.begin(), rest.end());
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const ScoredPlan& x, const ScoredPlan& y) { return x.cycles < y.cycles; });
  return chosen;
}

}  // namespace

Result<SearchResult> search(const Nest& nest, const Machine& machine, const SearchOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if (options.threads < 1 || options.keep < 1) {
    return invalid_argument(
        fmt::format("scheduling {}: {} threads, {} schedules to keep: both must be positive", nest.name,
                    options.threads, options.keep));
  }
  if (machine.caches.empty()) {
    return invalid_argument(
        fmt::format("scheduling {}: machine \"{}\" has no caches", nest.name, machine.name));
  }
  const Result<NestFacts> facts = gather_facts(nest);
  if (!facts) return facts.error();
  const Result<std::vector<Roles>> roles = assign_roles(nest, *facts);
  if (!roles) return roles.error();

  const Model model(*facts, machine);
  const auto keep = static_cast<std::size_t>(options.keep);
  const std::size_t pool_size = keep == 1 ? 1 : 12 * keep;  // of each kernel
  SearchSpace space{model, options, nest.b_constant, {}, BestPlans(pool_size)};
  const std::vector<Contender> contenders = rank_kernels(space, nest, *roles);
  if (contenders.empty()) {
    return unsupported(fmt::format("scheduling {}: no microkernel multiplies {} by {} into {} on {}",
                                   nest.name, dtype_name(element_of(nest[Operand::a].tensor.type)),
                                   dtype_name(element_of(nest[Operand::b].tensor.type)),
                                   dtype_name(element_of(nest[Operand::c].tensor.type)),
                                   isa_name(machine.isa)));
  }
  std::vector<ScoredPlan> pool;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const Contender& c = contenders[i];
    // What tile registers wait for has little to do with their kernels: more of these are tried.
    if (i >= (c.kernel->tiles ? 9 : 4)) break;
    if (i > 0 && c.bare > 1.3 * contenders[0].bare) break;
    enumerate(space, *c.roles, *c.kernel, Fineness{i == 0 ? 3u : 2u});
    if (keep == 1) continue;
    pool.insert(pool.end(), space.best.plans().begin(), space.best.plans().end());
    space.best = BestPlans(pool_size);
  }
  if (keep == 1) pool = space.best.plans();

  SearchResult result;
  result.variants_scored = space.scored;
  for (const ScoredPlan& p : choose_diverse(std::move(pool), keep)) {
    Candidate candidate;
    candidate.schedule = to_schedule(p.plan, *facts);
    model.score(p.plan, &candidate.prediction);
    add_bounds(candidate.prediction, *facts, machine, options.threads);
    result.best.push_back(std::move(candidate));
  }
  if (result.best.empty())
    return internal_error(fmt::format("scheduling {}: no plan was enumerated", nest.name));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace cortex
