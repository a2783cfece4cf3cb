#include "graph/recursive/builder.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "graph/recursive/check.h"

namespace cortex::recursive {

Expr apply(Op op, std::initializer_list<Expr> args) {
  Value v;
  v.op = op;
  Builder* builder = nullptr;
  for (const Expr& a : args) {
    if (a.builder_) builder = a.builder_;
  }
  if (!builder) return {};
  for (const Expr& a : args) v.args.push_back(builder->use(a));
  return builder->add(std::move(v));
}

Expr Expr::slice(const std::string& lo, const std::string& hi) const {
  if (!builder_) return {};
  Value v;
  v.op = Op::slice;
  v.args = {builder_->use(*this)};
  v.lo = builder_->read_size(lo);
  v.hi = builder_->read_size(hi);
  return builder_->add(std::move(v));
}

Expr Expr::of_child() const { return apply(Op::slot, {*this}); }

Builder::Builder(const std::string& name, Structure structure) {
  model_.name = name;
  model_.structure = structure;
  if (structure == Structure::sequence) model_.max_children = cortex::recursive::number(1);
}

Builder& Builder::size(const std::string& name, int64_t value) {
  model_.sizes[name] = value;
  return *this;
}

Builder& Builder::max_children(const std::string& size) {
  model_.max_children = read_size(size);
  return *this;
}

// "4h", "n*h", "2": as in .cxr text.
Size Builder::read_size(const std::string& text) {
  Size size;
  const char* at = text.data();
  const char* end = at + text.size();
  const auto [after, status] = std::from_chars(at, end, size.factor);
  bool good = !text.empty();
  if (status == std::errc()) at = after;
  while (at < end) {
    const char* stop = at;
    while (stop < end && (std::isalnum(static_cast<unsigned char>(*stop)) || *stop == '_')) ++stop;
    good = good && stop > at && (stop == end || (*stop == '*' && stop + 1 < end));
    if (!good) break;
    size.symbols.emplace_back(at, stop);
    at = stop == end ? end : stop + 1;
  }
  if (!good && first_error_.empty())
    first_error_ = fmt::format("'{}' is not a size; sizes are like 4h, n*h, 2", text);
  return size;
}

std::vector<Size> Builder::read_sizes(std::initializer_list<std::string> dims) {
  std::vector<Size> sizes;
  for (const std::string& dim : dims) sizes.push_back(read_size(dim));
  return sizes;
}

// The value of an Expr in the case that is open.
int Builder::use(const Expr& e) {
  if (e.builder_ == this && e.leaf_ == leaf_) return e.value_;
  if (first_error_.empty()) {
    first_error_ = e.builder_ == this
                       ? "a value of the leaf case is used in the node case, or the other way round"
                       : "an empty or a foreign Expr is used";
  }
  return -1;
}

Expr Builder::add(Value value) {
  cell().values.push_back(std::move(value));
  return {this, static_cast<int>(cell().values.size()) - 1, leaf_};
}

Expr Builder::parameter(const std::string& name, std::initializer_list<std::string> dims) {
  model_.parameters.push_back({name, read_sizes(dims), false});
  Value v;
  v.op = Op::parameter;
  v.ref = static_cast<int>(model_.parameters.size()) - 1;
  return add(std::move(v));
}

TableRef Builder::table(const std::string& name, std::initializer_list<std::string> dims) {
  model_.parameters.push_back({name, read_sizes(dims), true});
  return {static_cast<int>(model_.parameters.size()) - 1};
}

Expr Builder::word(TableRef table) {
  Value v;
  v.op = Op::table_row;
  v.ref = table.index;
  return add(std::move(v));
}

Expr Builder::features(const std::string& name, const std::string& width) {
  model_.feature = Parameter{name, {read_size(width)}, false};
  Value v;
  v.op = Op::feature;
  return add(std::move(v));
}

StateRef Builder::state(const std::string& name, std::initializer_list<std::string> dims) {
  model_.states.push_back({name, read_sizes(dims)});
  return {static_cast<int>(model_.states.size()) - 1};
}

Expr Builder::number(double value) {
  if (!(std::abs(value) <= std::numeric_limits<float>::max()) && first_error_.empty())
    first_error_ = fmt::format("{} is not finite as a 32-bit float", value);
  Value v;
  v.number = value;
  return add(std::move(v));
}

Value Builder::child_value(ChildRef::Kind kind, StateRef state) const {
  Value v;
  v.op = Op::child;
  v.ref = state.index;
  v.child.kind = kind;
  return v;
}

Expr Builder::each_child(StateRef state) { return add(child_value(ChildRef::each, state)); }

Expr Builder::child(int slot, StateRef state) {
  Value v = child_value(ChildRef::slot, state);
  v.child.index = slot;
  return add(std::move(v));
}

Expr Builder::selected_child(StateRef state) { return add(child_value(ChildRef::selected, state)); }

Expr Builder::computed_child(Expr index, StateRef state) {
  Value v = child_value(ChildRef::computed, state);
  v.child.index_value = use(index);
  return add(std::move(v));
}

Expr Builder::call_child(int slot, std::initializer_list<Expr> arguments, StateRef state) {
  Value v = child_value(ChildRef::slot, state);
  v.child.index = slot;
  for (const Expr& a : arguments) v.child.call_arguments.push_back(use(a));
  return add(std::move(v));
}

Builder& Builder::leaf() {
  if (!model_.leaf) model_.leaf.emplace();
  leaf_ = true;
  return *this;
}

Builder& Builder::node() {
  leaf_ = false;
  return *this;
}

Builder& Builder::set(StateRef state, Expr value) {
  if (state.index < 0 || static_cast<std::size_t>(state.index) >= model_.states.size()) {
    if (first_error_.empty()) first_error_ = "set() of a state that is none of this model";
    return *this;
  }
  std::vector<int>& states = cell().states;
  if (states.size() <= static_cast<std::size_t>(state.index))
    states.resize(static_cast<std::size_t>(state.index) + 1, -1);
  states[static_cast<std::size_t>(state.index)] = use(value);
  return *this;
}

Builder& Builder::output(StateRef state) {
  model_.outputs.push_back(state.index);
  return *this;
}

Result<Model> Builder::build() {
  if (!first_error_.empty()) return invalid_argument(fmt::format("model {}: {}", model_.name, first_error_));
  for (const Cell* cell : {&model_.node, model_.leaf ? &*model_.leaf : &model_.node}) {
    if (cell->values.size() <= max_values) continue;
    return invalid_argument(
        fmt::format("model {}: a case of {} values; at most {} are possible: join narrow values into wide "
                    "ones, or divide the case among several models",
                    model_.name, cell->values.size(), max_values));
  }
  Model model = model_;
  model.node.states.resize(model.states.size(), -1);
  if (model.leaf) model.leaf->states.resize(model.states.size(), -1);
  if (Status s = check(model); !s) return s.error();
  return model;
}

}  // namespace cortex::recursive
