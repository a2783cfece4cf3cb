#include <algorithm>
#include <cmath>

#include "graph/recursive/check.h"
#include "graph/recursive/passes/passes.h"
#include "graph/recursive/passes/rewrite.h"

namespace cortex::recursive {
namespace {

Cell without_children(const Cell& node) {
  Rewrite rewrite(node);
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    const Value& v = node.values[i];
    const bool over_children =
        v.op == Op::sum || v.op == Op::max || (v.op == Op::concat && rewrite.old(v.args[0]).per_child);
    if (v.op == Op::child || over_children) {
      rewrite.map(static_cast<int>(i), rewrite.add(constant(0, v.shape)));
    } else if (v.op == Op::slot) {
      rewrite.map(static_cast<int>(i), rewrite.add(constant(0, v.shape)));  // feeds a sum over children alone
    } else if (v.op == Op::slice && rewrite.at(rewrite.mapped(v.args[0])).op == Op::constant) {
      rewrite.map(static_cast<int>(i), rewrite.add(constant(0, v.shape)));
    } else {
      rewrite.map(static_cast<int>(i), rewrite.add(rewrite.with_mapped_args(v)));
    }
  }
  return rewrite.finish();
}

class Folder {
 public:
  explicit Folder(const Cell& cell) : rewrite_(cell), count_(cell.values.size()) {}

  Cell run() {
    for (std::size_t i = 0; i < count_; ++i) {
      const int index = static_cast<int>(i);
      const int to = fold(rewrite_.with_mapped_args(rewrite_.old(index)));
      rewrite_.map(index, to);
    }
    return rewrite_.finish();
  }

 private:
  bool is_constant(int index) { return rewrite_.at(index).op == Op::constant; }
  bool is(int index, double number) { return is_constant(index) && rewrite_.at(index).number == number; }

  // A value per child stays one: sum(child.h * 0 + 1) counts the children.
  int fold(const Value& v) {
    const auto a = [&](std::size_t i) { return v.args[i]; };
    const bool all_constant =
        !v.args.empty() && std::all_of(v.args.begin(), v.args.end(), [&](int x) { return is_constant(x); });
    if (is_elementwise(v.op) && all_constant && !v.per_child)
      return rewrite_.add(constant(evaluate(v), v.shape));
    switch (v.op) {
      case Op::add:
        if (is(a(0), 0)) return a(1);
        if (is(a(1), 0)) return a(0);
        break;
      case Op::sub:
        if (is(a(1), 0)) return a(0);
        break;
      case Op::mul:
        if (!v.per_child && (is(a(0), 0) || is(a(1), 0))) return rewrite_.add(constant(0, v.shape));
        if (is(a(0), 1)) return a(1);
        if (is(a(1), 1)) return a(0);
        break;
      case Op::matmul:
        if (!v.per_child && (is(a(0), 0) || is(a(1), 0))) return rewrite_.add(constant(0, v.shape));
        break;
      case Op::concat:
        if (all_constant && std::all_of(v.args.begin(), v.args.end(), [&](int x) { return is(x, 0); })) {
          return rewrite_.add(constant(0, v.shape));
        }
        break;
      case Op::sum:
      case Op::max:
        if (is(a(0), 0)) return rewrite_.add(constant(0, v.shape));
        break;
      case Op::slice:
        if (is_constant(a(0))) return rewrite_.add(constant(rewrite_.at(a(0)).number, v.shape));
        break;
      default:
        break;
    }
    return rewrite_.add(v);
  }

  double evaluate(const Value& v) {
    const double x = rewrite_.at(v.args[0]).number;
    const double y = v.args.size() > 1 ? rewrite_.at(v.args[1]).number : 0;
    switch (v.op) {
      case Op::add:
        return x + y;
      case Op::sub:
        return x - y;
      case Op::mul:
        return x * y;
      case Op::div:
        return x / y;
      case Op::maximum:
        return std::max(x, y);
      case Op::minimum:
        return std::min(x, y);
      case Op::sigmoid:
        return 1 / (1 + std::exp(-x));
      case Op::tanh:
        return std::tanh(x);
      case Op::relu:
        return std::max(x, 0.0);
      default:
        return std::exp(x);
    }
  }

  Rewrite rewrite_;
  std::size_t count_;
};

}  // namespace

Result<Model> specialize_leaves(const Model& model) {
  Model out = model;
  if (!out.leaf) out.leaf = without_children(model.node);
  if (Status s = check(out); !s) return s.error();
  return drop_unused(out);
}

Result<Model> propagate_zeros(const Model& model) {
  Model out = model;
  if (model.leaf) out.leaf = Folder(*model.leaf).run();
  out.node = Folder(model.node).run();
  if (Status s = check(out); !s) return s.error();
  return drop_unused(out);
}

}  // namespace cortex::recursive
