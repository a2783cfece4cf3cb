#include <fmt/format.h>

#include "graph/recursive/check.h"
#include "graph/recursive/cursor.h"
#include "graph/recursive/expression.h"
#include "graph/recursive/text.h"

namespace cortex::recursive {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const std::map<std::string, int64_t>& sizes) : in_(text), overrides_(sizes) {}

  Result<Model> run() {
    while (in_.next_line()) {
      if (in_.at_end()) continue;
      if (!statement()) return Error(in_.error());
      if (!in_.at_end()) {
        in_.fail("unexpected text");
        return Error(in_.error());
      }
    }
    for (const auto& [name, value] : overrides_) {
      if (!model_.sizes.count(name)) {
        return invalid_argument(
            fmt::format("model {}: has no size {} to set to {}", model_.name, name, value));
      }
    }
    if (model_.name.empty()) return invalid_argument("model text: no line 'model NAME'");
    finish(model_.node, node_names_);
    if (model_.leaf) finish(*model_.leaf, leaf_names_);
    if (Status s = check(model_); !s) return s.error();
    return std::move(model_);
  }

 private:
  bool statement() {
    const std::string_view start = in_.mark();
    const std::string first = in_.word();
    if (first == "leaf" || first == "node") {
      if (in_.at_end()) return open_case(first == "leaf");
    }
    if (in_.next_is('=') && cell_) return assignment(first);
    if (first == "model") {
      model_.name = in_.word();
      bool whole = !model_.name.empty();
      while (in_.eat('-')) {  // treelstm-nary
        const std::string part = in_.word();
        whole = whole && !part.empty();
        model_.name += "-" + part;
      }
      return whole || in_.fail("expected the model's name: words, joined by '-'");
    }
    if (first == "structure") {
      const std::string kind = in_.word();
      for (const Structure s : {Structure::sequence, Structure::tree, Structure::dag}) {
        if (kind == structure_name(s)) {
          model_.structure = s;
          return true;
        }
      }
      return in_.fail("expected sequence, tree or dag");
    }
    if (first == "children") {
      if (in_.peek_word() == "any") {
        in_.word();
        model_.max_children.reset();
        return true;
      }
      return in_.size(model_.max_children.emplace());
    }
    if (first == "size") {
      const std::string name = in_.word();
      int64_t value = 0;
      if (name.empty() || !in_.expect('=') || !in_.integer(value))
        return in_.fail("expected size NAME = NUMBER");
      const auto replaced = overrides_.find(name);
      model_.sizes[name] = replaced == overrides_.end() ? value : replaced->second;
      return true;
    }
    if (first == "table" || first == "parameter" || first == "input") return parameter(first);
    if (first == "state") {
      State state;
      state.name = in_.word();
      if (state.name.empty()) return in_.fail("expected the state's name");
      if (model_.find_state(state.name) >= 0)
        return in_.fail(fmt::format("state {} is declared twice", state.name));
      if (!in_.dims(state.dims)) return false;
      model_.states.push_back(state);
      return true;
    }
    if (first == "output") {
      while (!in_.at_end()) {
        const std::string name = in_.word();
        const int index = model_.find_state(name);
        if (index < 0) return in_.fail(fmt::format("output {}: no such state", name));
        model_.outputs.push_back(index);
      }
      return true;
    }
    in_.back_to(start);
    return in_.fail(
        "expected model, structure, children, size, table, input, parameter, state, leaf, node, output, or "
        "NAME = ... inside a case");
  }

  bool open_case(bool leaf) {
    bool& seen = leaf ? leaf_seen_ : node_seen_;
    if (seen) {
      return in_.fail(
          fmt::format("the {} case is written twice; join the two in one", leaf ? "leaf" : "node"));
    }
    seen = true;
    cell_ = leaf ? &model_.leaf.emplace() : &model_.node;
    names_ = leaf ? &leaf_names_ : &node_names_;
    return true;
  }

  bool parameter(const std::string& kind) {
    Parameter p;
    p.name = in_.word();
    p.table = kind == "table";
    if (p.name.empty()) return in_.fail("expected a name");
    if (model_.find_parameter(p.name) >= 0 || (model_.feature && model_.feature->name == p.name)) {
      return in_.fail(fmt::format("{} is declared twice", p.name));
    }
    if (!in_.dims(p.dims)) return false;
    if (kind == "input") {
      if (model_.feature) return in_.fail("a model has one input");
      model_.feature = p;
    } else {
      model_.parameters.push_back(p);
    }
    return true;
  }

  bool assignment(const std::string& name) {
    if (!in_.expect('=')) return false;
    if (model_.find_parameter(name) >= 0 || (model_.feature && model_.feature->name == name) ||
        is_reserved(name)) {
      return in_.fail(fmt::format("{} cannot be assigned to", name));
    }
    if (names_->count(name)) return in_.fail(fmt::format("{} is computed twice", name));
    const int v = parse_expression(in_, model_, *names_, *cell_);
    if (v < 0) return false;
    Value& value = cell_->values[static_cast<std::size_t>(v)];
    if (!value.name.empty()) {  // a second name for the same value
      names_->emplace(name, v);
      return true;
    }
    value.name = name;
    names_->emplace(name, v);
    return true;
  }

  void finish(Cell& cell, const Names& names) const {
    for (const State& state : model_.states) {
      const auto found = names.find(state.name);
      cell.states.push_back(found == names.end() ? -1 : found->second);
    }
  }

  Cursor in_;
  std::map<std::string, int64_t> overrides_;
  Model model_;
  Cell* cell_ = nullptr;
  Names* names_ = nullptr;
  Names node_names_, leaf_names_;
  bool node_seen_ = false, leaf_seen_ = false;
};

}  // namespace

Result<Model> parse_model(std::string_view text, const std::map<std::string, int64_t>& sizes) {
  return Parser(text, sizes).run();
}

}  // namespace cortex::recursive
