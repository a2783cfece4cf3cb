#include "polyopt/isl/legality.h"

#include <fmt/format.h>

#include <algorithm>

#include "polyopt/isl/flow.h"
#include "polyopt/isl/order.h"
#include "polyopt/isl/reduced.h"
#include "polyopt/isl/schedule_map.h"

namespace cortex {
namespace {

using namespace polyhedral;

// What the maps below are built on; all else about a schedule's form is check()'s.
Status check_shape(const Nest& nest, const Schedule& schedule) {
  for (const Loop& loop : schedule.loops) {
    if (loop.dim < 0 || loop.dim >= std::ssize(nest.dims) || loop.step < 1) {
      return invalid_argument(
          fmt::format("schedule of {}: a loop over dim #{} by {}", nest.name, loop.dim, loop.step));
    }
  }
  return Status::success();
}

Status check_coverage(const Context& context, const Nest& nest, const Schedule& schedule) {
  context.restart();
  const Set missing = missing_instances(context, nest, schedule);
  const isl_bool empty = isl_set_is_empty(missing.get());
  if (!missing || empty == isl_bool_error) return context.refusal(fmt::format("coverage of {}", nest.name));
  if (empty == isl_bool_true) return Status::success();
  Point point = call(isl_set_sample_point, call(isl_set_lexmin, missing));
  if (!point) point = call(isl_set_sample_point, missing);
  if (!point) return context.refusal(fmt::format("coverage of {}", nest.name));
  std::vector<int64_t> values;
  for (int d = 0; d < std::ssize(nest.dims); ++d) values.push_back(coordinate(point, d));
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    if (values[d] == 0) continue;
    std::vector<int64_t> element;  // of C, that this update is missing from
    for (const int p : parallel_dims(nest)) element.push_back(values[p]);
    const std::string& name = nest.dims[d].name;
    return invalid_argument(
        fmt::format("loops over {}: RAW on C: {} -> {} has no target, which is never executed: the range of "
                    "{} at the kernel "
                    "is longer than 1; add a loop {}/1 or give {} to the kernel",
                    name, describe_instance(nest, Statement::init, element),
                    describe_instance(nest, Statement::update, values), name, name, name));
  }
  return internal_error("coverage: the first instance is missing");
}

// A split reduction runs like one with the split loop in sequence. Its parts have sums of their own, so that
// of S -> S only what lies inside a part remains, which a sequential outer loop orders too; I comes once for
// each part and is its first; E and the S before it are kept apart by the wait between the parts and their
// sum.
Schedule parts_in_order(Schedule schedule) {
  for (Loop& loop : schedule.loops) loop.parallel = loop.parallel && !loop.split;
  return schedule;
}

// The dependence is broken; which instances show it is worth the larger sets.
Status explain_violation(const Context& context, const Nest& nest, const Schedule& schedule,
                         const Flow& flow) {
  Execution execution;
  for (Statement s : {Statement::init, Statement::update, Statement::epilogue}) {
    execution.loop_map.push_back(loop_map(context, nest, schedule, s));
    if (!execution.loop_map.back()) return context.refusal(fmt::format("schedule of {}", nest.name));
  }
  for (const Loop& loop : schedule.loops) execution.parallel.push_back(loop.parallel);
  Status status = check_order(context, nest, schedule, flow, execution);
  if (status.ok())
    return internal_error(
        fmt::format("legality of {}: the reduced dependence is broken, the whole is not", nest.name));
  return status;
}

}  // namespace

struct LegalityChecker::State {
  Context context;
  Nest nest;
  std::vector<Flow> flows;
  std::vector<ReducedFlow> reduced;
};

LegalityChecker::LegalityChecker(std::unique_ptr<State> state) : state_(std::move(state)) {}
LegalityChecker::LegalityChecker(LegalityChecker&&) noexcept = default;
LegalityChecker& LegalityChecker::operator=(LegalityChecker&&) noexcept = default;
LegalityChecker::~LegalityChecker() = default;

Result<LegalityChecker> LegalityChecker::make(const Nest& nest) {
  auto state = std::make_unique<State>();
  state->nest = nest;
  Result<std::vector<Flow>> flows = compute_flow(state->context, nest, FlowKinds::order);
  if (!flows) return flows.error();
  for (Flow& flow : *flows) {
    // I -> E follows from I -> S -> E: no element is without an update.
    if (flow.source == Statement::init && flow.target == Statement::epilogue) continue;
    state->flows.push_back(std::move(flow));
  }
  // Two updates at once is the mistake people make: report that before its consequences for I and E.
  std::stable_partition(state->flows.begin(), state->flows.end(), [](const Flow& flow) {
    return flow.source == Statement::update && flow.target == Statement::update;
  });
  for (const Flow& flow : state->flows) {
    Result<ReducedFlow> reduced = reduce(state->context, nest, flow);
    if (!reduced) return reduced.error();
    state->reduced.push_back(std::move(*reduced));
  }
  return LegalityChecker(std::move(state));
}

Status LegalityChecker::check(const Schedule& written) const {
  const Context& context = state_->context;
  const Nest& nest = state_->nest;
  if (Status status = check_shape(nest, written); !status) return status;
  const Schedule schedule = parts_in_order(written);
  if (Status status = check_coverage(context, nest, schedule); !status) return status;
  for (std::size_t k = 0; k < state_->flows.size(); ++k) {
    const Result<bool> respected = respects(context, nest, schedule, state_->reduced[k]);
    if (!respected) return respected.error();
    if (!*respected) return explain_violation(context, nest, schedule, state_->flows[k]);
  }
  return Status::success();
}

Status check_legal(const Nest& nest, const Schedule& schedule) {
  Result<LegalityChecker> checker = LegalityChecker::make(nest);
  if (!checker) return checker.error();
  return checker->check(schedule);
}

}  // namespace cortex
