#include "polyopt/isl/working_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyopt/isl/count.h"
#include "polyopt/isl/order.h"
#include "polyopt/isl/schedule_map.h"

namespace cortex {
namespace {

using namespace polyhedral;

Set single_call(const Context& context, const CallIndex& index) {
  return context.set(fmt::format("{{ [{}] }}", fmt::join(index, ", ")));
}

// { [t] : first <= t <= last, lexicographically }, among the calls there are.
Set calls_between(const Context& context, const Set& calls, const CallIndex& first, const CallIndex& last) {
  const Set lower =
      call(isl_map_range, call(isl_map_intersect_domain, Map(isl_map_lex_le(isl_set_get_space(calls.get()))),
                               single_call(context, first)));
  const Set upper =
      call(isl_map_range, call(isl_map_intersect_domain, Map(isl_map_lex_ge(isl_set_get_space(calls.get()))),
                               single_call(context, last)));
  return call(isl_set_intersect, call(isl_set_intersect, lower, upper), calls);
}

class Counter {
 public:
  Counter(const Nest& nest, const Schedule& schedule)
      : nest_(nest), schedule_(schedule), loops_(static_cast<int>(schedule.loops.size())) {
    const Map time = loop_map(context_, nest, schedule, Statement::update);
    calls_ = call(isl_set_coalesce, call(isl_map_range, time));
    for (int o = 0; o < operand_count; ++o) {
      Map touches = call(isl_map_apply_domain,
                         access_relation(context_, nest, Statement::update, static_cast<Operand>(o)), time);
      touches_[o] = call(isl_map_coalesce, std::move(touches));
    }
  }

  // nullopt: the loop carries no reuse.
  Result<std::optional<Reuse>> reuse(Operand operand, int loop) {
    context_.restart();
    const std::string what = fmt::format("working set of {} in {}", operand_name(operand), nest_.name);
    const Map& touches = touches_[static_cast<int>(operand)];
    Map again = call(isl_map_apply_range, touches, call(isl_map_reverse, touches));
    again = call(isl_map_intersect, std::move(again), agree_until(context_, loops_, loop, "<"));
    const isl_bool none = isl_map_is_empty(again.get());
    if (none == isl_bool_error) return context_.refusal(what);
    if (none == isl_bool_true) return std::optional<Reuse>{};
    const Set source = call(isl_set_lexmin, call(isl_map_domain, again));
    const Set targets = call(isl_map_range, call(isl_map_intersect_domain, again, source));
    const std::optional<CallIndex> from = point_of(source), near = point_of(call(isl_set_lexmin, targets)),
                                   far = point_of(call(isl_set_lexmax, targets));
    if (!from || !near || !far) return context_.refusal(what);
    Result<WorkingSet> nearest = touched(*from, *near, what);
    if (!nearest) return nearest.error();
    Result<WorkingSet> farthest = touched(*from, *far, what);
    if (!farthest) return farthest.error();
    return std::optional<Reuse>(Reuse{operand, loop, *from, std::move(*nearest), std::move(*farthest)});
  }

 private:
  std::optional<CallIndex> point_of(const Set& set) const {
    const Point point = call(isl_set_sample_point, set);
    if (!point || isl_point_is_void(point.get()) != isl_bool_false) return std::nullopt;
    CallIndex index;
    for (int l = 0; l < loops_; ++l) index.push_back(coordinate(point, l));
    return index;
  }

  Result<WorkingSet> touched(const CallIndex& source, const CallIndex& target, const std::string& what) {
    WorkingSet set{.target = target, .elements = {}};
    const Set between = calls_between(context_, calls_, source, target);
    for (int o = 0; o < operand_count; ++o) {
      const Set elements = call(isl_set_coalesce, call(isl_set_apply, between, touches_[o]));
      const Result<Count> n = count_points(context_, elements, what);
      if (!n) return n.error();
      set.elements[o] = n->elements;
    }
    return set;
  }

  Context context_{200'000'000};
  const Nest& nest_;
  const Schedule& schedule_;
  int loops_;
  Set calls_;
  Map touches_[operand_count];  // { [t] -> X[element] }
};

}  // namespace

Result<std::vector<Reuse>> counted_working_sets(const Nest& nest, const Schedule& schedule) {
  Counter counter(nest, schedule);
  std::vector<Reuse> reuses;
  for (int o = 0; o < operand_count; ++o) {
    for (int loop = 0; loop < std::ssize(schedule.loops); ++loop) {
      Result<std::optional<Reuse>> reuse = counter.reuse(static_cast<Operand>(o), loop);
      if (!reuse) return reuse.error();
      if (*reuse) reuses.push_back(std::move(**reuse));
    }
  }
  return reuses;
}

Result<WorkingSets> any_working_sets(const Nest& nest, const Schedule& schedule) {
  Result<std::vector<Reuse>> closed = working_sets(nest, schedule);
  if (closed) return WorkingSets{std::move(*closed), ""};
  if (closed.error().code != ErrorCode::unsupported) return closed.error();
  Result<std::vector<Reuse>> counted = counted_working_sets(nest, schedule);
  if (!counted) return counted.error();
  return WorkingSets{std::move(*counted), closed.error().message};
}

}  // namespace cortex
