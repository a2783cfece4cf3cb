#include "polyopt/isl/dependences.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyopt/isl/flow.h"

namespace cortex {
namespace {

using namespace polyhedral;

// Words of isl's language, which no dim can be called in a relation that is to parse back.
bool reserved(const std::string& name) {
  for (const char* word : {"and", "or", "not", "exists", "implies", "mod", "floor", "ceil", "floord", "ceild",
                           "min", "max", "true", "false", "rat", "infty", "infinity", "NaN"}) {
    if (name == word) return true;
  }
  return false;
}

// The relation with the nest's names: source dims as they are, target dims primed.
std::string named_text(const Nest& nest, const Flow& flow) {
  Map map = flow.relation;
  for (const auto& [type, statement] :
       {std::pair{isl_dim_in, flow.source}, std::pair{isl_dim_out, flow.target}}) {
    const std::vector<int> dims = statement_dims(nest, statement);
    for (unsigned k = 0; k < dims.size(); ++k) {
      std::string name = nest.dims[dims[k]].name;
      if (reserved(name)) name += "_";
      if (type == isl_dim_out) name += "'";
      map = Map(isl_map_set_dim_name(map.take(), type, k, name.c_str()));
    }
  }
  char* text = isl_map_to_str(map.get());
  std::string result = text ? text : "";
  free(text);
  return result;
}

// For each dim that can be the first to change: the smallest difference of indices, dim by dim.
std::vector<std::vector<int64_t>> nearest_targets(const Context& context, const Nest& nest,
                                                  const Flow& flow) {
  std::vector<std::vector<int64_t>> result;
  if (flow.source != Statement::update || flow.target != Statement::update) return result;
  const Set deltas = call(isl_map_deltas, flow.relation);
  const std::size_t n = nest.dims.size();
  for (std::size_t first = 0; first < n; ++first) {
    std::vector<std::string> sizes, names, conditions;
    for (std::size_t d = 0; d < n; ++d) {
      sizes.push_back(fmt::format("a{}", d));
      names.push_back(fmt::format("i{}", d));
      conditions.push_back(d < first ? fmt::format("i{0} = 0 and a{0} = 0", d)
                                     : fmt::format("-a{0} <= i{0} <= a{0}", d));
    }
    conditions.push_back(fmt::format("i{} > 0", first));
    // lexmin over the absolute values: the nearest target, not the one furthest back in later dims.
    const Map sized = context.map(fmt::format("{{ [{}] -> S[{}] : {} }}", fmt::join(sizes, ", "),
                                              fmt::join(names, ", "), fmt::join(conditions, " and ")));
    const Set found =
        call(isl_set_lexmin,
             call(isl_set_flatten, call(isl_map_wrap, call(isl_map_intersect_range, sized, deltas))));
    if (!found || isl_set_is_empty(found.get()) != isl_bool_false) continue;
    const Point point = call(isl_set_sample_point, found);
    std::vector<int64_t> delta;
    for (std::size_t d = 0; d < n; ++d) delta.push_back(coordinate(point, static_cast<int>(n + d)));
    result.push_back(std::move(delta));
  }
  return result;
}

}  // namespace

const char* dependence_kind_name(DependenceKind kind) {
  switch (kind) {
    case DependenceKind::raw:
      return "RAW";
    case DependenceKind::war:
      return "WAR";
    case DependenceKind::waw:
      return "WAW";
    case DependenceKind::rar:
      return "RAR";
  }
  return "?";
}

Result<std::vector<Dependence>> dependences(const Nest& nest) {
  const Context context;
  Result<std::vector<Flow>> flows = compute_flow(context, nest, FlowKinds::all);
  if (!flows) return flows.error();
  std::vector<Dependence> result;
  for (const Flow& flow : *flows) {
    context.restart();
    const bool updates = flow.source == Statement::update && flow.target == Statement::update;
    result.push_back({.kind = flow.kind,
                      .operand = flow.operand,
                      .source = statement_name(flow.source)[0],
                      .target = statement_name(flow.target)[0],
                      .reassociable = updates && flow.operand == Operand::c,
                      .relation = named_text(nest, flow),
                      .nearest = nearest_targets(context, nest, flow)});
    if (context.failed()) {
      return context.refusal(fmt::format("dependences of {}", nest.name));
    }
  }
  return result;
}

std::string in_words(const Dependence& dependence, const Nest& nest) {
  const std::string head =
      fmt::format("{} on {}: ", dependence_kind_name(dependence.kind), operand_name(dependence.operand));
  if (dependence.kind == DependenceKind::rar) {
    std::vector<std::string> steps;
    for (const std::vector<int64_t>& delta : dependence.nearest) {
      std::vector<std::string> moves;
      for (std::size_t d = 0; d < delta.size(); ++d) {
        if (delta[d] != 0) moves.push_back(fmt::format("{}{:+}", nest.dims[d].name, delta[d]));
      }
      steps.push_back(fmt::format("({})", fmt::join(moves, ",")));
    }
    return head + fmt::format("the same element is read again at {}", fmt::join(steps, ", "));
  }
  const std::string pair = fmt::format("{} -> {}", dependence.source, dependence.target);
  if (dependence.reassociable) {
    std::vector<std::string> dims;
    for (const Dim& d : nest.dims) {
      if (d.kind == DimKind::reduction && d.extent > 1) dims.push_back(d.name);
    }
    return head + fmt::format("{} along {}: updates of one element, in any order but one at a time", pair,
                              fmt::join(dims, ", "));
  }
  if (dependence.source == 'I')
    return head + pair + ": an element is started before anything else happens to it";
  return head + pair + ": the epilogue of an element waits for all its updates";
}

}  // namespace cortex
