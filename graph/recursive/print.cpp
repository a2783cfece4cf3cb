#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "graph/recursive/text.h"

namespace cortex::recursive {
namespace {

std::string brackets(const std::vector<Size>& dims) {
  std::string text;
  for (const Size& dim : dims) text += "[" + to_string(dim) + "]";
  return text;
}

// Binding strength, as the parser has it.
int strength(Op op) {
  switch (op) {
    case Op::add:
    case Op::sub:
      return 1;
    case Op::mul:
    case Op::div:
      return 2;
    case Op::matmul:
      return 3;
    default:
      return 4;
  }
}

class Printer {
 public:
  Printer(const Model& model, const Cell& cell) : model_(model), cell_(cell), names_(cell.values.size()) {}

  std::string run() {
    std::vector<int> uses(cell_.values.size(), 0);
    for (const Value& v : cell_.values) {
      for (const int a : v.args) ++uses[static_cast<std::size_t>(a)];
    }
    for (std::size_t i = 0; i < cell_.values.size(); ++i) names_[i] = cell_.values[i].name;
    std::set<std::string> taken(names_.begin(), names_.end());
    for (const Parameter& p : model_.parameters) taken.insert(p.name);
    for (const State& s : model_.states) taken.insert(s.name);
    if (model_.feature) taken.insert(model_.feature->name);
    for (std::size_t s = 0; s < cell_.states.size(); ++s) {
      const std::size_t v = static_cast<std::size_t>(cell_.states[s]);
      if (names_[v].empty()) names_[v] = model_.states[s].name;
    }
    std::string text;
    for (std::size_t i = 0; i < cell_.values.size(); ++i) {
      const Value& v = cell_.values[i];
      const bool leaf = v.args.empty();
      if (names_[i].empty() && uses[i] > 1 && !leaf) {
        names_[i] = fmt::format("v{}", i);
        while (taken.count(names_[i])) names_[i] += "_";
      }
      if (!names_[i].empty()) text += fmt::format("  {} = {}\n", names_[i], expression(v, 0));
    }
    for (std::size_t s = 0; s < cell_.states.size(); ++s) {  // states that are another name of a value
      const std::string& name = names_[static_cast<std::size_t>(cell_.states[s])];
      if (name != model_.states[s].name) text += fmt::format("  {} = {}\n", model_.states[s].name, name);
    }
    return text;
  }

 private:
  std::string use(int index, int outer) const {
    const std::size_t i = static_cast<std::size_t>(index);
    return names_[i].empty() ? expression(cell_.values[i], outer) : names_[i];
  }

  std::string expression(const Value& v, int outer) const {
    // fill(1)[h] ends with a bracket of its own: what is taken of it stands behind parentheses.
    const int own = v.op == Op::constant && !v.dims.empty() ? 3 : strength(v.op);
    std::string text;
    switch (v.op) {
      case Op::constant:
        text = fmt::format("{}", v.number);
        if (!v.dims.empty()) text = fmt::format("fill({}){}", v.number, brackets(v.dims));
        break;
      case Op::parameter:
        text = model_.parameters[static_cast<std::size_t>(v.ref)].name;
        break;
      case Op::table_row:
        text = model_.parameters[static_cast<std::size_t>(v.ref)].name + "[word]";
        break;
      case Op::feature:
        text = model_.feature->name;
        break;
      case Op::child:
        text = child(v);
        break;
      case Op::add:
      case Op::sub:
      case Op::mul:
      case Op::div:
      case Op::matmul:
        text = fmt::format("{} {} {}", use(v.args[0], own - 1), op_name(v.op), use(v.args[1], own));
        break;
      case Op::slice:
        text = fmt::format("{}[{}:{}]", use(v.args[0], 3), to_string(v.lo), to_string(v.hi));
        break;
      case Op::slot:
        text = use(v.args[0], 3) + "[child]";
        break;
      default:
        text = std::string(op_name(v.op)) + "(";
        for (std::size_t i = 0; i < v.args.size(); ++i) text += (i ? ", " : "") + use(v.args[i], 0);
        text += ")";
    }
    return own <= outer ? "(" + text + ")" : text;
  }

  std::string child(const Value& v) const {
    std::string who = "child";
    if (v.child.kind == ChildRef::slot) who += fmt::format("[{}]", v.child.index);
    if (v.child.kind == ChildRef::selected) who += "[select]";
    return who + "." + model_.states[static_cast<std::size_t>(v.ref)].name;
  }

  const Model& model_;
  const Cell& cell_;
  std::vector<std::string> names_;
};

}  // namespace

std::string to_text(const Model& model) {
  std::string text =
      fmt::format("model {}\nstructure {}\nchildren {}\n", model.name, structure_name(model.structure),
                  model.max_children ? to_string(*model.max_children) : "any");
  for (const auto& [name, value] : model.sizes) text += fmt::format("size {} = {}\n", name, value);
  if (model.feature) text += fmt::format("input {}{}\n", model.feature->name, brackets(model.feature->dims));
  for (const Parameter& p : model.parameters) {
    text += fmt::format("{} {}{}\n", p.table ? "table" : "parameter", p.name, brackets(p.dims));
  }
  for (const State& s : model.states) text += fmt::format("state {}{}\n", s.name, brackets(s.dims));
  if (model.leaf) text += "leaf\n" + Printer(model, *model.leaf).run();
  text += "node\n" + Printer(model, model.node).run();
  text += "output";
  for (const int o : model.outputs) text += " " + model.states[static_cast<std::size_t>(o)].name;
  return text + "\n";
}

}  // namespace cortex::recursive
