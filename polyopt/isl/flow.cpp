#include "polyopt/isl/flow.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace cortex::polyhedral {
namespace {

std::vector<Statement> statements_of(const Nest& nest) {
  if (!is_finished(nest)) return {Statement::init, Statement::update};
  return {Statement::init, Statement::update, Statement::epilogue};
}

// The order the nest is written in: I, S, E one after the other, each in the order of its dims.
UnionMap textbook_schedule(const Context& context, const Nest& nest) {
  UnionMap schedule;
  for (Statement s : statements_of(nest)) {
    std::vector<std::string> time{std::to_string(static_cast<int>(s))};
    for (int d : statement_dims(nest, s)) time.push_back(fmt::format("i{}", d));
    time.resize(nest.dims.size() + 1, "0");
    UnionMap one =
        call(isl_union_map_from_map,
             context.map(fmt::format("{{ {} -> [{}] }}", instance_text(nest, s), fmt::join(time, ", "))));
    schedule = schedule ? call(isl_union_map_union, std::move(schedule), std::move(one)) : std::move(one);
  }
  return schedule;
}

UnionMap accesses(const Context& context, const Nest& nest, std::initializer_list<Statement> of,
                  Operand operand) {
  UnionMap all;
  for (Statement s : of) {
    if (s == Statement::epilogue && !is_finished(nest)) continue;
    UnionMap one = call(isl_union_map_from_map, access_relation(context, nest, s, operand));
    all = all ? call(isl_union_map_union, std::move(all), std::move(one)) : std::move(one);
  }
  return all;
}

// { x -> y : x in sources before y in sinks, both on one element }.
UnionMap flow_between(UnionMap sinks, UnionMap sources, UnionMap schedule) {
  auto info = call(isl_union_access_info_from_sink, std::move(sinks));
  info = call(isl_union_access_info_set_may_source, std::move(info), std::move(sources));
  info = call(isl_union_access_info_set_schedule_map, std::move(info), std::move(schedule));
  const auto flow = call(isl_union_access_info_compute_flow, std::move(info));
  return UnionMap(isl_union_flow_get_may_dependence(flow.get()));
}

void split_by_statement(const Context& context, const Nest& nest, const UnionMap& relation,
                        DependenceKind kind, Operand operand, std::vector<Flow>& out) {
  for (Statement source : statements_of(nest)) {
    for (Statement target : statements_of(nest)) {
      const Map all = context.map(
          fmt::format("{{ {} -> {} }}", instance_text(nest, source), instance_text(nest, target, 'j')));
      Map part(isl_union_map_extract_map(relation.get(), isl_map_get_space(all.get())));
      if (part && isl_map_is_empty(part.get()) == isl_bool_false) {
        out.push_back({kind, operand, source, target, call(isl_map_coalesce, std::move(part))});
      }
    }
  }
}

}  // namespace

Result<std::vector<Flow>> compute_flow(const Context& context, const Nest& nest, FlowKinds kinds) {
  const std::string what = fmt::format("dependences of {}", nest.name);
  context.restart();
  const UnionMap schedule = textbook_schedule(context, nest);
  using enum Statement;
  const UnionMap reads = accesses(context, nest, {update, epilogue}, Operand::c);
  const UnionMap writes = accesses(context, nest, {init, update, epilogue}, Operand::c);

  std::vector<Flow> flows;
  const auto add = [&](const UnionMap& sinks, const UnionMap& sources, DependenceKind kind, Operand operand) {
    const UnionMap relation = flow_between(sinks, sources, schedule);
    if (relation) split_by_statement(context, nest, relation, kind, operand, flows);
    return static_cast<bool>(relation) && !context.failed();
  };
  bool ok = add(reads, writes, DependenceKind::raw, Operand::c);
  if (kinds == FlowKinds::all) {
    ok = ok && add(writes, reads, DependenceKind::war, Operand::c);
    ok = ok && add(writes, writes, DependenceKind::waw, Operand::c);
    for (Operand operand : {Operand::a, Operand::b}) {
      const UnionMap uses = accesses(context, nest, {update}, operand);
      ok = ok && add(uses, uses, DependenceKind::rar, operand);
    }
  }
  if (!ok) return context.refusal(what);
  return flows;
}

}  // namespace cortex::polyhedral
