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
  SearchSpace space{model, options, nest.b_constant, {}, BestPlans(static_cast<std::size_t>(options.keep))};
  const std::vector<Contender> contenders = rank_kernels(space, nest, *roles);
  if (contenders.empty()) {
    return unsupported(fmt::format("scheduling {}: no microkernel multiplies {} by {} into {} on {}",
                                   nest.name, dtype_name(nest[Operand::a].tensor.type),
                                   dtype_name(nest[Operand::b].tensor.type),
                                   dtype_name(nest[Operand::c].tensor.type), isa_name(machine.isa)));
  }
  for (std::size_t i = 0; i < contenders.size() && i < 4; ++i) {
    const Contender& c = contenders[i];
    if (i > 0 && c.bare > 1.3 * contenders[0].bare) break;
    enumerate(space, *c.roles, *c.kernel, Fineness{i == 0 ? 3u : 2u});
  }

  SearchResult result;
  result.variants_scored = space.scored;
  for (const ScoredPlan& p : space.best.plans()) {
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
