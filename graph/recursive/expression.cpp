#include "graph/recursive/expression.h"

#include <fmt/format.h>

#include <utility>

namespace cortex::recursive {
namespace {

class Expression {
 public:
  Expression(Cursor& in, const Model& model, const Names& names, Cell& cell)
      : in_(in), model_(model), names_(names), cell_(cell) {}

  int expression() {
    if (++depth_ > 200) return in_.fail_value("nested too deeply");
    int left = term();
    while (left >= 0) {
      const Op op = in_.eat('+') ? Op::add : in_.eat('-') ? Op::sub : Op::constant;
      if (op == Op::constant) break;
      const int right = term();
      left = right < 0 ? -1 : push(op, {left, right});
    }
    --depth_;
    return left;
  }

 private:
  // -1 where the case has too many; callers may still fill in what was pushed.
  int push(Op op, std::vector<int> args = {}) {
    Value v;
    v.op = op;
    v.args = std::move(args);
    v.line = in_.line();
    cell_.values.push_back(std::move(v));
    if (cell_.values.size() > max_values) {
      return in_.fail_value(fmt::format(
          "a case has at most {} values, where every operation, number and parameter that is read "
          "counts; join narrow values into wide ones, or divide the case among several models",
          max_values));
    }
    return static_cast<int>(cell_.values.size()) - 1;
  }

  int term() {
    int left = product();
    while (left >= 0) {
      const Op op = in_.eat('*') ? Op::mul : in_.eat('/') ? Op::div : Op::constant;
      if (op == Op::constant) break;
      const int right = product();
      left = right < 0 ? -1 : push(op, {left, right});
    }
    return left;
  }
  int product() {
    int left = postfix();
    while (left >= 0 && in_.eat('@')) {
      const int right = postfix();
      left = right < 0 ? -1 : push(Op::matmul, {left, right});
    }
    return left;
  }
  int postfix() {
    int v = primary();
    while (v >= 0 && in_.eat('[')) {
      if (in_.peek_word() == "child") {
        in_.word();
        if (!in_.expect(']')) return -1;
        v = push(Op::slot, {v});
        continue;
      }
      Size lo, hi;
      if (!in_.size(lo) || !in_.expect(':') || !in_.size(hi) || !in_.expect(']')) return -1;
      v = push(Op::slice, {v});
      cell_.values.back().lo = lo;
      cell_.values.back().hi = hi;
    }
    return v;
  }

  int primary() {
    if (in_.eat('(')) {
      const int v = expression();
      return v >= 0 && in_.expect(')') ? v : -1;
    }
    if (in_.at_number()) return number();
    const std::string_view start = in_.mark();
    const std::string name = in_.word();
    if (name.empty()) return in_.fail_value("expected a value");
    if (name == "child") return child();
    if (name == "fill") return fill();
    if (in_.next_is('(')) return call(name);
    if (const auto found = names_.find(name); found != names_.end()) return found->second;
    if (const int p = model_.find_parameter(name); p >= 0) {
      if (!model_.parameters[static_cast<std::size_t>(p)].table) {
        const int v = push(Op::parameter);
        cell_.values.back().ref = p;
        return v;
      }
      if (!in_.expect('[') || in_.word() != "word" || !in_.expect(']')) {
        return in_.fail_value(fmt::format("a table is read as {}[word]", name));
      }
      const int v = push(Op::table_row);
      cell_.values.back().ref = p;
      return v;
    }
    if (model_.feature && model_.feature->name == name) return push(Op::feature);
    in_.back_to(start);
    return in_.fail_value(fmt::format("{} is not known here", name));
  }

  int number() {
    double number = 0;
    if (!in_.number(number)) return -1;
    const int v = push(Op::constant);
    cell_.values.back().number = number;
    return v;
  }

  // child.h  child[1].h  child[select].h, and what the checks refuse: child[value].h, child(value).h
  int child() {
    ChildRef ref;
    if (in_.eat('[')) {
      int64_t slot = 0;
      if (in_.peek_word() == "select") {
        in_.word();
        ref.kind = ChildRef::selected;
      } else if (in_.integer(slot)) {
        if (slot < 0 || slot > 1023) return in_.fail_value("child slots are 0 to 1023");
        ref.kind = ChildRef::slot;
        ref.index = static_cast<int>(slot);
      } else {
        ref.kind = ChildRef::computed;
        ref.index_value = expression();
        if (ref.index_value < 0) return -1;
      }
      if (!in_.expect(']')) return -1;
    }
    if (in_.eat('(')) {
      do {
        const int a = expression();
        if (a < 0) return -1;
        ref.call_arguments.push_back(a);
      } while (in_.eat(','));
      if (!in_.expect(')')) return -1;
    }
    if (!in_.expect('.')) return -1;
    const std::string name = in_.word();
    const int state = model_.find_state(name);
    if (state < 0) return in_.fail_value(fmt::format("child.{}: no such state", name));
    const int v = push(Op::child);
    cell_.values.back().ref = state;
    cell_.values.back().child = ref;
    return v;
  }

  // fill(0.5)[h]: a constant with a shape
  int fill() {
    if (!in_.expect('(')) return -1;
    if (!in_.at_number()) return in_.fail_value("expected fill(NUMBER)[size]");
    const int v = number();
    if (v < 0) return -1;
    std::vector<Size> extents;
    if (!in_.expect(')') || !in_.dims(extents)) return -1;
    cell_.values[static_cast<std::size_t>(v)].dims = extents;
    return v;
  }

  int call(const std::string& name) {
    static const std::map<std::string, std::pair<Op, int>> functions = {
        {"sigmoid", {Op::sigmoid, 1}}, {"tanh", {Op::tanh, 1}},       {"relu", {Op::relu, 1}},
        {"exp", {Op::exp, 1}},         {"maximum", {Op::maximum, 2}}, {"minimum", {Op::minimum, 2}},
        {"sum", {Op::sum, 1}},         {"max", {Op::max, 1}},         {"concat", {Op::concat, 0}}};
    const auto found = functions.find(name);
    if (found == functions.end()) return in_.fail_value(fmt::format("function {} is not known", name));
    in_.expect('(');
    std::vector<int> args;
    do {
      const int a = expression();
      if (a < 0) return -1;
      args.push_back(a);
      if (args.size() > max_values) {
        return in_.fail_value(
            fmt::format("{} takes at most {} operands; join them in several steps", name, max_values));
      }
    } while (in_.eat(','));
    if (!in_.expect(')')) return -1;
    const int arity = found->second.second;
    if (arity > 0 && static_cast<int>(args.size()) != arity) {
      return in_.fail_value(fmt::format("{} takes {} operand{}", name, arity, arity == 1 ? "" : "s"));
    }
    return push(found->second.first, std::move(args));
  }

  Cursor& in_;
  const Model& model_;
  const Names& names_;
  Cell& cell_;
  int depth_ = 0;
};

}  // namespace

int parse_expression(Cursor& in, const Model& model, const Names& names, Cell& cell) {
  return Expression(in, model, names, cell).expression();
}

}  // namespace cortex::recursive
