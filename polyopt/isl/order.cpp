#include "polyopt/isl/order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyopt/isl/schedule_map.h"

namespace cortex::polyhedral {
namespace {

struct Witness {
  std::string source, target;
};

std::vector<int64_t> coordinates(const Point& point, int from, int count) {
  std::vector<int64_t> values;
  for (int k = 0; k < count; ++k) values.push_back(coordinate(point, from + k));
  return values;
}

// { [x -> t] -> [y -> u] }: the pairs of the dependence whose times satisfy `when`. Times are kept
// instead of projected out: nothing needs quantifiers, and emptiness is one integer program a piece.
Map pairs(const Flow& flow, const Execution& execution, Map when) {
  Map all = call(isl_map_product, flow.relation, std::move(when));
  all = call(isl_map_intersect_domain, std::move(all),
             call(isl_map_wrap, execution.loop_map[static_cast<int>(flow.source)]));
  return call(isl_map_intersect_range, std::move(all),
              call(isl_map_wrap, execution.loop_map[static_cast<int>(flow.target)]));
}

// The lexicographically first pair, or any if finding the first costs too much.
Witness witness(const Context& context, const Nest& nest, const Flow& flow, const Map& broken, int loops) {
  const Set flat = call(isl_set_flatten, call(isl_map_wrap, broken));
  context.restart();
  Point point = call(isl_set_sample_point, call(isl_set_lexmin, flat));
  if (!point || isl_point_is_void(point.get())) {
    context.restart();
    isl_ctx_reset_error(context.get());
    point = call(isl_set_sample_point, flat);
  }
  if (!point || isl_point_is_void(point.get())) return {"some instance", "another"};
  const int sources = static_cast<int>(statement_dims(nest, flow.source).size());
  const int targets = static_cast<int>(statement_dims(nest, flow.target).size());
  return {describe_instance(nest, flow.source, coordinates(point, 0, sources)),
          describe_instance(nest, flow.target, coordinates(point, sources + loops, targets))};
}

std::string dependence_text(const Flow& flow, const Witness& w) {
  return fmt::format("{} on {}: {} -> {}", dependence_kind_name(flow.kind), operand_name(flow.operand),
                     w.source, w.target);
}

std::string advice(const Nest& nest, const Schedule& schedule, const Flow& flow, int loop) {
  const Dim& dim = nest.dims[schedule.loops[loop].dim];
  if (flow.source == Statement::update && flow.target == Statement::update &&
      dim.kind == DimKind::reduction) {
    return fmt::format("make {} sequential or split the reduction", dim.name);
  }
  return fmt::format("make {} sequential", dim.name);
}

}  // namespace

Map agree_until(const Context& context, int loops, int loop, const char* op) {
  std::vector<std::string> t, u, conditions{"true"};
  for (int l = 0; l < loops; ++l) {
    t.push_back(fmt::format("t{}", l));
    u.push_back(fmt::format("u{}", l));
    if (l < loop) conditions.push_back(fmt::format("t{0} = u{0}", l));
  }
  if (loop < loops) conditions.push_back(fmt::format("t{0} {1} u{0}", loop, op));
  return context.map(fmt::format("{{ [{}] -> [{}] : {} }}", fmt::join(t, ", "), fmt::join(u, ", "),
                                 fmt::join(conditions, " and ")));
}

Status check_order(const Context& context, const Nest& nest, const Schedule& schedule, const Flow& flow,
                   const Execution& execution) {
  const int loops = static_cast<int>(execution.parallel.size());
  const bool reduction = flow.source == Statement::update && flow.target == Statement::update;
  for (int loop = 0; loop <= loops; ++loop) {
    const bool parallel = loop < loops && execution.parallel[loop];
    // Updates of one element need only be apart from each other in parallel loops; and where all loops
    // agree, the order inside one kernel call decides.
    if (!parallel && (reduction || loop == loops)) continue;
    for (const char* op : {">", "<"}) {
      if (*op == '<' && !parallel) continue;
      context.restart();
      const Map broken = pairs(flow, execution, agree_until(context, loops, loop, op));
      const isl_bool empty = isl_map_is_empty(broken.get());
      if (!broken || empty == isl_bool_error) {
        return context.refusal(fmt::format("legality of a schedule of {}", nest.name));
      }
      if (empty == isl_bool_true) continue;
      const Witness w = witness(context, nest, flow, broken, loops);
      const std::string name = describe_loop(nest, schedule, loop);
      if (parallel) {
        return invalid_argument(fmt::format("parallel loop {}: {} would run at once: {}", name,
                                            dependence_text(flow, w), advice(nest, schedule, flow, loop)));
      }
      return invalid_argument(fmt::format(
          "loop {}: {} would run in the wrong order: {}", name, dependence_text(flow, w),
          flow.target == Statement::epilogue ? "apply the epilogue after the last update of its element"
                                             : "keep the source before the target"));
    }
  }
  return Status::success();
}

}  // namespace cortex::polyhedral
