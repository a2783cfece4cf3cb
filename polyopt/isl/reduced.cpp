#include "polyopt/isl/reduced.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "polyopt/isl/order.h"
#include "polyopt/isl/schedule_map.h"

namespace cortex::polyhedral {
namespace {

// { E[p] -> S[p, r] } with r the update the statement runs with.
Map anchor(const Context& context, const Nest& nest, Statement s) {
  std::vector<std::string> update;
  for (int d = 0; d < std::ssize(nest.dims); ++d) update.push_back(coordinate_text(nest, s, d));
  return context.map(fmt::format("{{ {} -> S[{}] }}", instance_text(nest, s), fmt::join(update, ", ")));
}

// An equality holds in the relation if and only if it holds in its affine hull, which is one system of
// equalities and quick to test.
bool ends_agree(const Context& context, const Nest& nest, const Handle<isl_basic_map>& hull, int dim) {
  const Map equal =
      context.map(fmt::format("{{ {} -> {} : i{} = j{} }}", instance_text(nest, Statement::update),
                              instance_text(nest, Statement::update, 'j'), dim, dim));
  return isl_map_is_subset(call(isl_map_from_basic_map, hull).get(), equal.get()) == isl_bool_true;
}

}  // namespace

Result<ReducedFlow> reduce(const Context& context, const Nest& nest, const Flow& flow) {
  context.restart();
  Map relation = flow.relation;
  if (flow.source != Statement::update) {
    relation = call(isl_map_apply_domain, std::move(relation), anchor(context, nest, flow.source));
  }
  if (flow.target != Statement::update) {
    relation = call(isl_map_apply_range, std::move(relation), anchor(context, nest, flow.target));
  }
  ReducedFlow reduced;
  reduced.ordered = flow.source != Statement::update || flow.target != Statement::update;
  const auto hull = call(isl_map_affine_hull, relation);
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    if (!ends_agree(context, nest, hull, d)) reduced.dims.push_back(d);
  }
  Map kept = relation;
  for (int d = static_cast<int>(nest.dims.size()) - 1; d >= 0; --d) {
    if (std::find(reduced.dims.begin(), reduced.dims.end(), d) != reduced.dims.end()) continue;
    kept = call(isl_map_project_out, std::move(kept), isl_dim_in, static_cast<unsigned>(d), 1u);
    kept = call(isl_map_project_out, std::move(kept), isl_dim_out, static_cast<unsigned>(d), 1u);
  }
  kept = call(isl_map_reset_tuple_id, call(isl_map_reset_tuple_id, std::move(kept), isl_dim_in), isl_dim_out);
  reduced.relation = call(isl_map_coalesce, std::move(kept));
  if (!reduced.relation) return context.refusal(fmt::format("dependences of {}", nest.name));
  return reduced;
}

Result<bool> respects(const Context& context, const Nest& nest, const Schedule& schedule,
                      const ReducedFlow& flow) {
  std::vector<int> loops;  // over the dims that matter, outermost first
  for (int l = 0; l < std::ssize(schedule.loops); ++l) {
    const auto& dims = flow.dims;
    if (std::find(dims.begin(), dims.end(), schedule.loops[l].dim) != dims.end()) loops.push_back(l);
  }
  for (int k = 0; k < std::ssize(loops); ++k) {
    const bool parallel = schedule.loops[loops[k]].parallel;
    if (!parallel && !flow.ordered) continue;
    context.restart();
    const std::vector<int> prefix(loops.begin(),
                                  loops.begin() + k + 1);  // deeper loops have a tile for anybody
    const Set placed = call(isl_map_wrap, loop_map(context, nest, schedule, flow.dims, prefix));
    for (const char* op : {">", "<"}) {
      if (*op == '<' && !parallel) continue;
      const Map when = agree_until(context, k + 1, k, op);
      const Map broken =
          call(isl_map_intersect_range,
               call(isl_map_intersect_domain, call(isl_map_product, flow.relation, when), placed), placed);
      const isl_bool empty = isl_map_is_empty(broken.get());
      if (!broken || empty == isl_bool_error) {
        return context.refusal(fmt::format("legality of a schedule of {}", nest.name));
      }
      if (empty == isl_bool_false) return false;
    }
  }
  return true;
}

}  // namespace cortex::polyhedral
