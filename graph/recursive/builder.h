// Writing a recursive model in C++: the Recursive API.
//
//   Builder b("treernn", Structure::tree);
//   b.size("h", 256).size("v", 10000);
//   const Expr x = b.word(b.table("X", {"v", "h"}));
//   const Expr U = b.parameter("U", {"h", "h"});
//   const StateRef h = b.state("h", {"h"});
//   b.set(h, tanh(matmul(U, sum(b.each_child(h))) + x));
//   b.output(h);
//   Result<Model> model = b.build();      // checked, as .cxr text is
//
// An Expr belongs to the case (leaf or node) that was open when it was made.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include "graph/recursive/model.h"
#include "support/result.h"

namespace cortex::recursive {

class Builder;

struct StateRef {
  int index = -1;
};
struct TableRef {
  int index = -1;
};

class Expr {
 public:
  Expr() = default;
  // Rows [lo, hi) of the outermost dimension, as sizes: "0", "h", "2h".
  Expr slice(const std::string& lo, const std::string& hi) const;
  // The block of the child at hand.
  Expr of_child() const;

 private:
  friend class Builder;
  friend Expr apply(Op op, std::initializer_list<Expr> args);
  Expr(Builder* builder, int value, bool leaf) : builder_(builder), value_(value), leaf_(leaf) {}
  Builder* builder_ = nullptr;
  int value_ = -1;
  bool leaf_ = false;
};

Expr apply(Op op, std::initializer_list<Expr> args);
inline Expr operator+(Expr a, Expr b) { return apply(Op::add, {a, b}); }
inline Expr operator-(Expr a, Expr b) { return apply(Op::sub, {a, b}); }
inline Expr operator*(Expr a, Expr b) { return apply(Op::mul, {a, b}); }
inline Expr operator/(Expr a, Expr b) { return apply(Op::div, {a, b}); }
inline Expr matmul(Expr a, Expr b) { return apply(Op::matmul, {a, b}); }
inline Expr sigmoid(Expr a) { return apply(Op::sigmoid, {a}); }
inline Expr tanh(Expr a) { return apply(Op::tanh, {a}); }
inline Expr relu(Expr a) { return apply(Op::relu, {a}); }
inline Expr exp(Expr a) { return apply(Op::exp, {a}); }
inline Expr maximum(Expr a, Expr b) { return apply(Op::maximum, {a, b}); }
inline Expr minimum(Expr a, Expr b) { return apply(Op::minimum, {a, b}); }
inline Expr sum(Expr a) { return apply(Op::sum, {a}); }  // over the children
inline Expr max(Expr a) { return apply(Op::max, {a}); }
inline Expr concat(std::initializer_list<Expr> parts) { return apply(Op::concat, parts); }

class Builder {
 public:
  Builder(const std::string& name, Structure structure);
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  Builder& size(const std::string& name, int64_t value);
  Builder& max_children(const std::string& size);  // without it: any number

  // Dimensions as sizes: "h", "4h", "n*h", "2".
  Expr parameter(const std::string& name, std::initializer_list<std::string> dims);
  TableRef table(const std::string& name, std::initializer_list<std::string> dims);
  Expr word(TableRef table);  // the row of the node's word
  Expr features(const std::string& name, const std::string& width);
  StateRef state(const std::string& name, std::initializer_list<std::string> dims);
  Expr number(double value);

  Expr each_child(StateRef state);
  Expr child(int slot, StateRef state);
  Expr selected_child(StateRef state);  // the one the batch's selector names
  // A child chosen by a value, and a recursive call that hands values down: build() refuses them, with the
  // property that is violated.
  Expr computed_child(Expr index, StateRef state);
  Expr call_child(int slot, std::initializer_list<Expr> arguments, StateRef state);

  // What follows belongs to leaves, or to all nodes with children. Without a leaf case leaves run the node's.
  Builder& leaf();
  Builder& node();
  Builder& set(StateRef state, Expr value);
  Builder& output(StateRef state);

  Result<Model> build();

 private:
  friend class Expr;
  friend Expr apply(Op op, std::initializer_list<Expr> args);
  Expr add(Value value);
  Value child_value(ChildRef::Kind kind, StateRef state) const;
  int use(const Expr& e);
  Size read_size(const std::string& text);
  std::vector<Size> read_sizes(std::initializer_list<std::string> dims);
  Cell& cell() { return leaf_ ? *model_.leaf : model_.node; }

  Model model_;
  bool leaf_ = false;
  std::string first_error_;
};

}  // namespace cortex::recursive
