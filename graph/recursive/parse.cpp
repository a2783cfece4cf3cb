#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cstdlib>

#include "graph/recursive/check.h"
#include "graph/recursive/text.h"

namespace cortex::recursive {
namespace {

// One line at a time: statements never span lines.
class Parser {
 public:
  Parser(std::string_view text, const std::map<std::string, int64_t>& sizes)
      : text_(text), overrides_(sizes) {}

  Result<Model> run() {
    while (next_line()) {
      if (at_end()) continue;
      if (!statement()) return Error(error_);
      if (!at_end()) {
        fail("unexpected text");
        return Error(error_);
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
  using Names = std::map<std::string, int, std::less<>>;

  bool next_line() {
    if (offset_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', offset_), text_.size());
    rest_ = text_.substr(offset_, end - offset_);
    rest_ = rest_.substr(0, rest_.find('#'));
    whole_ = rest_;
    offset_ = end + 1;
    ++line_;
    return true;
  }
  void skip() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_[0]))) rest_.remove_prefix(1);
  }
  bool at_end() {
    skip();
    return rest_.empty();
  }
  bool fail(const std::string& what) {
    if (error_.message.empty()) {
      error_ = invalid_argument(
          fmt::format("model text, line {}, column {}: {}", line_, whole_.size() - rest_.size() + 1, what));
    }
    return false;
  }
  int fail_value(const std::string& what) {
    fail(what);
    return -1;
  }
  bool eat(char c) {
    skip();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool expect(char c) { return eat(c) || fail(fmt::format("expected '{}'", c)); }
  static bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
  std::string word() {
    skip();
    std::size_t n = 0;
    while (n < rest_.size() &&
           (letter(rest_[n]) || (n > 0 && std::isdigit(static_cast<unsigned char>(rest_[n])))))
      ++n;
    std::string found(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return found;
  }
  std::string peek_word() {
    const std::string_view saved = rest_;
    std::string found = word();
    rest_ = saved;
    return found;
  }
  bool integer(int64_t& n) {
    skip();
    const auto [end, status] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
    if (status != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  // 4h, n*h, 2
  bool size(Size& size) {
    size = Size();
    const bool number = integer(size.factor);
    std::string name = word();
    if (name.empty()) return number || fail("expected a size");
    for (;;) {
      size.symbols.push_back(name);
      if (!eat('*')) return true;
      name = word();
      if (name.empty()) return fail("expected a size's name after '*'");
    }
  }
  bool dims(std::vector<Size>& out) {
    while (eat('[')) {
      if (!size(out.emplace_back()) || !expect(']')) return false;
    }
    return !out.empty() || fail("expected [size]");
  }

  bool statement() {
    const std::string_view start = rest_;
    const std::string first = word();
    if (first == "leaf" || first == "node") {
      if (at_end()) {
        if (first == "leaf") model_.leaf.emplace();
        cell_ = first == "leaf" ? &*model_.leaf : &model_.node;
        names_ = first == "leaf" ? &leaf_names_ : &node_names_;
        return true;
      }
    }
    skip();
    if (!rest_.empty() && rest_[0] == '=' && cell_) return assignment(first);
    if (first == "model") {
      model_.name = word();
      while (!rest_.empty() && rest_[0] == '-') {  // treelstm-nary
        rest_.remove_prefix(1);
        model_.name += "-" + word();
      }
      return !model_.name.empty() || fail("expected the model's name");
    }
    if (first == "structure") {
      const std::string kind = word();
      for (const Structure s : {Structure::sequence, Structure::tree, Structure::dag}) {
        if (kind == structure_name(s)) {
          model_.structure = s;
          return true;
        }
      }
      return fail("expected sequence, tree or dag");
    }
    if (first == "children") {
      if (peek_word() == "any") {
        word();
        model_.max_children.reset();
        return true;
      }
      return size(model_.max_children.emplace());
    }
    if (first == "size") {
      const std::string name = word();
      int64_t value = 0;
      if (name.empty() || !expect('=') || !integer(value)) return fail("expected size NAME = NUMBER");
      const auto replaced = overrides_.find(name);
      model_.sizes[name] = replaced == overrides_.end() ? value : replaced->second;
      return true;
    }
    if (first == "table" || first == "parameter" || first == "input") return parameter(first);
    if (first == "state") {
      State state;
      state.name = word();
      if (state.name.empty()) return fail("expected the state's name");
      for (const State& s : model_.states) {
        if (s.name == state.name) return fail(fmt::format("state {} is declared twice", s.name));
      }
      if (!dims(state.dims)) return false;
      model_.states.push_back(state);
      return true;
    }
    if (first == "output") {
      while (!at_end()) {
        const std::string name = word();
        const int index = find_state(name);
        if (index < 0) return fail(fmt::format("output {}: no such state", name));
        model_.outputs.push_back(index);
      }
      return true;
    }
    rest_ = start;
    return fail(
        "expected model, structure, children, size, table, input, parameter, state, leaf, node, output, or "
        "NAME = ... inside a case");
  }

  bool parameter(const std::string& kind) {
    Parameter p;
    p.name = word();
    p.table = kind == "table";
    if (p.name.empty()) return fail("expected a name");
    if (find_parameter(p.name) >= 0 || (model_.feature && model_.feature->name == p.name)) {
      return fail(fmt::format("{} is declared twice", p.name));
    }
    if (!dims(p.dims)) return false;
    if (kind == "input") {
      if (model_.feature) return fail("a model has one input");
      model_.feature = p;
    } else {
      model_.parameters.push_back(p);
    }
    return true;
  }

  int find_parameter(std::string_view name) const {
    for (std::size_t i = 0; i < model_.parameters.size(); ++i) {
      if (model_.parameters[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }
  int find_state(std::string_view name) const {
    for (std::size_t i = 0; i < model_.states.size(); ++i) {
      if (model_.states[i].name == name) return static_cast<int>(i);
    }
    return -1;
  }

  bool assignment(const std::string& name) {
    if (!expect('=')) return false;
    if (find_parameter(name) >= 0 || name == "child" || name == "word") {
      return fail(fmt::format("{} cannot be assigned to", name));
    }
    if (names_->count(name)) return fail(fmt::format("{} is computed twice", name));
    int v = expression();
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

  int push(Op op, std::vector<int> args = {}) {
    Value v;
    v.op = op;
    v.args = std::move(args);
    v.line = line_;
    cell_->values.push_back(std::move(v));
    return static_cast<int>(cell_->values.size()) - 1;
  }

  int expression() {
    if (++depth_ > 200) return fail_value("nested too deeply");
    int left = term();
    while (left >= 0) {
      const Op op = eat('+') ? Op::add : eat('-') ? Op::sub : Op::constant;
      if (op == Op::constant) break;
      const int right = term();
      left = right < 0 ? -1 : push(op, {left, right});
    }
    --depth_;
    return left;
  }
  int term() {
    int left = product();
    while (left >= 0) {
      const Op op = eat('*') ? Op::mul : eat('/') ? Op::div : Op::constant;
      if (op == Op::constant) break;
      const int right = product();
      left = right < 0 ? -1 : push(op, {left, right});
    }
    return left;
  }
  int product() {
    int left = postfix();
    while (left >= 0 && eat('@')) {
      const int right = postfix();
      left = right < 0 ? -1 : push(Op::matmul, {left, right});
    }
    return left;
  }
  int postfix() {
    int v = primary();
    while (v >= 0 && eat('[')) {
      if (peek_word() == "child") {
        word();
        if (!expect(']')) return -1;
        v = push(Op::slot, {v});
        continue;
      }
      Size lo, hi;
      if (!size(lo) || !expect(':') || !size(hi) || !expect(']')) return -1;
      v = push(Op::slice, {v});
      cell_->values.back().lo = lo;
      cell_->values.back().hi = hi;
    }
    return v;
  }

  int primary() {
    skip();
    if (eat('(')) {
      const int v = expression();
      return v >= 0 && expect(')') ? v : -1;
    }
    if (!rest_.empty() &&
        (std::isdigit(static_cast<unsigned char>(rest_[0])) || rest_[0] == '-' || rest_[0] == '.')) {
      double number = 0;
      const auto [end, status] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (status != std::errc()) return fail_value("expected a number");
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      const int v = push(Op::constant);
      cell_->values.back().number = number;
      return v;
    }
    const std::string_view start = rest_;
    const std::string name = word();
    if (name.empty()) return fail_value("expected a value");
    if (name == "child") return child();
    if (name == "fill") return fill();
    skip();
    if (!rest_.empty() && rest_[0] == '(') return call(name);
    if (const auto found = names_->find(name); found != names_->end()) return found->second;
    if (const int p = find_parameter(name); p >= 0) {
      if (!model_.parameters[static_cast<std::size_t>(p)].table) {
        const int v = push(Op::parameter);
        cell_->values.back().ref = p;
        return v;
      }
      if (!expect('[') || word() != "word" || !expect(']')) {
        return fail_value(fmt::format("a table is read as {}[word]", name));
      }
      const int v = push(Op::table_row);
      cell_->values.back().ref = p;
      return v;
    }
    if (model_.feature && model_.feature->name == name) return push(Op::feature);
    rest_ = start;
    return fail_value(fmt::format("{} is not known here", name));
  }

  // child.h  child[1].h  child[select].h, and what the checks refuse: child[value].h, child(value).h
  int child() {
    ChildRef ref;
    if (eat('[')) {
      int64_t slot = 0;
      if (peek_word() == "select") {
        word();
        ref.kind = ChildRef::selected;
      } else if (integer(slot)) {
        if (slot < 0 || slot > 1023) return fail_value("child slots are 0 to 1023");
        ref.kind = ChildRef::slot;
        ref.index = static_cast<int>(slot);
      } else {
        ref.kind = ChildRef::computed;
        ref.index_value = expression();
        if (ref.index_value < 0) return -1;
      }
      if (!expect(']')) return -1;
    }
    if (eat('(')) {
      do {
        const int a = expression();
        if (a < 0) return -1;
        ref.call_arguments.push_back(a);
      } while (eat(','));
      if (!expect(')')) return -1;
    }
    if (!expect('.')) return -1;
    const std::string name = word();
    const int state = find_state(name);
    if (state < 0) return fail_value(fmt::format("child.{}: no such state", name));
    const int v = push(Op::child);
    cell_->values.back().ref = state;
    cell_->values.back().child = ref;
    return v;
  }

  // fill(0.5)[h]: a constant with a shape
  int fill() {
    if (!expect('(')) return -1;
    const int v = primary();
    if (v < 0 || cell_->values[static_cast<std::size_t>(v)].op != Op::constant)
      return fail_value("expected fill(NUMBER)[size]");
    std::vector<Size> extents;
    if (!expect(')') || !dims(extents)) return -1;
    cell_->values[static_cast<std::size_t>(v)].dims = extents;
    return v;
  }

  int call(const std::string& name) {
    static const std::map<std::string, std::pair<Op, int>> functions = {
        {"sigmoid", {Op::sigmoid, 1}}, {"tanh", {Op::tanh, 1}},       {"relu", {Op::relu, 1}},
        {"exp", {Op::exp, 1}},         {"maximum", {Op::maximum, 2}}, {"minimum", {Op::minimum, 2}},
        {"sum", {Op::sum, 1}},         {"max", {Op::max, 1}},         {"concat", {Op::concat, 0}}};
    const auto found = functions.find(name);
    if (found == functions.end()) return fail_value(fmt::format("function {} is not known", name));
    expect('(');
    std::vector<int> args;
    do {
      const int a = expression();
      if (a < 0) return -1;
      args.push_back(a);
    } while (eat(','));
    if (!expect(')')) return -1;
    const int arity = found->second.second;
    if (arity > 0 && static_cast<int>(args.size()) != arity) {
      return fail_value(fmt::format("{} takes {} operand{}", name, arity, arity == 1 ? "" : "s"));
    }
    return push(found->second.first, std::move(args));
  }

  std::string_view text_, rest_, whole_;
  std::map<std::string, int64_t> overrides_;
  std::size_t offset_ = 0;
  int line_ = 0, depth_ = 0;
  Error error_;
  Model model_;
  Cell* cell_ = nullptr;
  Names* names_ = nullptr;
  Names node_names_, leaf_names_;
};

}  // namespace

Result<Model> parse_model(std::string_view text, const std::map<std::string, int64_t>& sizes) {
  return Parser(text, sizes).run();
}

}  // namespace cortex::recursive
