#include "graph/recursive/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "support/checked.h"

namespace cortex::recursive {
namespace {

// Of all values that a node computes: what it reads has limits of its own.
constexpr int64_t max_elements = int64_t{1} << 28;

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += fmt::format("[{}]", extent);
  return text.empty() ? "a number" : text;
}

class Checker {
 public:
  Checker(Model& model, Cell& cell, const char* which) : model_(model), cell_(cell), which_(which) {}

  Status run() {
    reads_child_.assign(cell_.values.size(), false);
    for (std::size_t i = 0; i < cell_.values.size(); ++i) {
      if (Status s = value(static_cast<int>(i)); !s) return s;
      if (Status s = room_for(cell_.values[i]); !s) return s;
    }
    if (cell_.states.size() != model_.states.size()) {
      return invalid_argument(fmt::format("{}: {} of {} states are computed", where(), cell_.states.size(),
                                          model_.states.size()));
    }
    for (std::size_t s = 0; s < cell_.states.size(); ++s) {
      const State& state = model_.states[s];
      if (cell_.states[s] < 0) {
        return invalid_argument(
            fmt::format("{}: state {} is never computed; assign to it", where(), state.name));
      }
      const Value& v = cell_.values[static_cast<std::size_t>(cell_.states[s])];
      if (v.per_child) {
        return invalid_argument(
            fmt::format("{}: state {} gets a value per child; bring it together with sum, max or concat",
                        where(), state.name));
      }
      if (!v.shape.empty() && v.shape != model_.shape(state.dims)) {
        return invalid_argument(fmt::format("{}: state {} is declared {} and computed as {}", where(),
                                            state.name, shape_text(model_.shape(state.dims)),
                                            shape_text(v.shape)));
      }
    }
    return {};
  }

 private:
  std::string where() const { return fmt::format("model {}, {} case", model_.name, which_); }
  Error refuse(const Value& v, const std::string& what) const {
    std::string at = where();
    if (v.line > 0) at += fmt::format(", line {}", v.line);
    if (!v.name.empty()) at += fmt::format(", value {}", v.name);
    return invalid_argument(at + ": " + what);
  }
  const Value& arg(const Value& v, std::size_t i) const {
    return cell_.values[static_cast<std::size_t>(v.args[i])];
  }

  Status properties(const Value& v, int index) {
    const ChildRef& child = v.child;
    if (child.kind == ChildRef::computed) {
      return refuse(
          v,
          "property P1 is violated: which child is read must follow from the structure alone, and here it "
          "depends on a tensor value; use child[select] and give the index with the batch");
    }
    for (const int a : child.call_arguments) {
      if (a < 0 || a >= index) return refuse(v, "a recursive call takes a value that comes later");
      if (reads_child_[static_cast<std::size_t>(a)]) {
        return refuse(
            v,
            "property P3 is violated: a recursive call takes the result of a sibling's call; siblings must "
            "be independent");
      }
      return refuse(
          v,
          "property P2 is violated: a recursive call takes a value computed at this node; all recursive "
          "calls must be possible before the node's arithmetic");
    }
    return {};
  }

  Status value(int index) {
    Value& v = cell_.values[static_cast<std::size_t>(index)];
    for (const int a : v.args) {
      if (a < 0 || a >= index)
        return refuse(v, fmt::format("{} uses a value that comes later", op_name(v.op)));
    }
    reads_child_[static_cast<std::size_t>(index)] =
        v.op == Op::child || std::any_of(v.args.begin(), v.args.end(),
                                         [&](int a) { return reads_child_[static_cast<std::size_t>(a)]; });
    v.per_child = std::any_of(v.args.begin(), v.args.end(),
                              [&](int a) { return cell_.values[static_cast<std::size_t>(a)].per_child; });
    if (is_elementwise(v.op)) return elementwise(v);
    switch (v.op) {
      case Op::constant:
        return constant(v);
      case Op::parameter:
        if (!refers_to(v, model_.parameters) || model_.parameters[static_cast<std::size_t>(v.ref)].table)
          return refuse(v, "reads a parameter that is none of this model");
        v.shape = model_.shape(model_.parameters[static_cast<std::size_t>(v.ref)].dims);
        return {};
      case Op::table_row: {
        if (!refers_to(v, model_.parameters) || !model_.parameters[static_cast<std::size_t>(v.ref)].table)
          return refuse(v, "reads a table that is none of this model");
        const Parameter& table = model_.parameters[static_cast<std::size_t>(v.ref)];
        v.shape = model_.shape(table.dims);
        v.shape.erase(v.shape.begin());
        return {};
      }
      case Op::feature:
        if (!model_.feature) return refuse(v, "reads an input that the model does not have");
        v.shape = model_.shape(model_.feature->dims);
        return {};
      case Op::child:
        return child(v, index);
      case Op::matmul:
        return matmul(v);
      case Op::slice:
        return slice(v);
      case Op::concat:
        return concat(v);
      case Op::sum:
      case Op::max:
        if (!v.per_child) {
          return refuse(v, fmt::format("{} is over the children, and its operand is the same for all of them",
                                       op_name(v.op)));
        }
        v.per_child = false;
        v.shape = arg(v, 0).shape;
        return {};
      case Op::slot: {
        const int64_t n = model_.children();
        if (n <= 0) return refuse(v, "a block per child needs a fixed largest number of children");
        v.shape = arg(v, 0).shape;
        if (v.shape.size() != 1 || v.per_child || v.shape[0] % n != 0) {
          return refuse(v, fmt::format("{} cannot be divided in a block for each of {} children",
                                       shape_text(v.shape), n));
        }
        v.shape[0] /= n;
        v.per_child = true;
        return {};
      }
      default:
        return refuse(v, "unknown operation");
    }
  }

  template <typename List>
  static bool refers_to(const Value& v, const List& list) {
    return v.ref >= 0 && static_cast<std::size_t>(v.ref) < list.size();
  }

  Status constant(Value& v) {
    for (const Size& dim : v.dims) {
      const std::optional<int64_t> extent = evaluate(dim, model_.sizes);
      if (extent && *extent >= 1) continue;
      return refuse(v, fmt::format("fill(...)[{}]: the size has no value, is not positive, or is too large",
                                   to_string(dim)));
    }
    v.shape = model_.shape(v.dims);
    return {};
  }

  // Concats double what they are given: a few dozen of them, each of the one before, would outgrow any
  // memory.
  Status room_for(const Value& v) {
    if (v.op == Op::parameter || v.op == Op::table_row || v.op == Op::feature || v.op == Op::child) return {};
    std::optional<int64_t> elements = 1;
    for (const int64_t extent : v.shape) elements = elements ? checked_mul(*elements, extent) : elements;
    if (elements && *elements <= max_elements - elements_) {
      elements_ += *elements;
      return {};
    }
    return refuse(v,
                  fmt::format("with {} of shape {} a node computes more than 2^28 elements (1 GiB): make it "
                              "or what it is made of smaller",
                              op_name(v.op), shape_text(v.shape)));
  }

  Status elementwise(Value& v) {
    v.shape = {};
    for (std::size_t i = 0; i < v.args.size(); ++i) {
      const Value& a = arg(v, i);
      if (a.shape.empty()) continue;
      if (v.shape.empty()) v.shape = a.shape;
      if (a.shape != v.shape) {
        return refuse(v, fmt::format("{} of {} and {}: shapes must be equal (matrix products are written @)",
                                     op_name(v.op), shape_text(v.shape), shape_text(a.shape)));
      }
      if (a.op == Op::parameter && a.shape.size() > 2) return refuse(v, "a parameter of rank 3 is a table");
    }
    return {};
  }

  Status child(Value& v, int index) {
    if (!refers_to(v, model_.states)) return refuse(v, "reads a child's state that is none of this model");
    if (Status s = properties(v, index); !s) return s;
    const int64_t most = model_.structure == Structure::sequence ? 1 : model_.children();
    if (v.child.kind == ChildRef::slot && (v.child.index < 0 || (most >= 0 && v.child.index >= most))) {
      return refuse(v, fmt::format("child[{}]: a {} node has at most {} children here, numbered from 0",
                                   v.child.index, structure_name(model_.structure), most));
    }
    v.shape = model_.shape(model_.states[static_cast<std::size_t>(v.ref)].dims);
    v.per_child = v.child.kind == ChildRef::each;
    return {};
  }

  Status matmul(Value& v) {
    const Value &a = arg(v, 0), &b = arg(v, 1);
    const auto fail = [&] {
      return refuse(v,
                    fmt::format("{} @ {}: the inner sizes differ", shape_text(a.shape), shape_text(b.shape)));
    };
    if (a.shape.size() == 2 && b.shape.size() == 1) {
      if (a.shape[1] != b.shape[0]) return fail();
      v.shape = {a.shape[0]};
      if (!is_parameter(a))
        return refuse(v, "matrix @ vector needs a parameter as its matrix; write vector @ matrix");
      return {};
    }
    if (a.shape.size() == 1 && b.shape.size() == 2) {
      if (a.shape[0] != b.shape[0]) return fail();
      v.shape = {b.shape[1]};
      return {};
    }
    if (a.shape.size() == 2 && b.shape.size() == 2) {
      if (a.shape[1] != b.shape[0]) return fail();
      v.shape = {a.shape[0], b.shape[1]};
      return {};
    }
    return refuse(v, fmt::format("{} @ {}: needs a matrix", shape_text(a.shape), shape_text(b.shape)));
  }

  bool is_parameter(const Value& v) const {
    if (v.op == Op::slice) return is_parameter(arg(v, 0));
    return v.op == Op::parameter;
  }

  Status slice(Value& v) {
    const Value& a = arg(v, 0);
    const std::optional<int64_t> lo = evaluate(v.lo, model_.sizes), hi = evaluate(v.hi, model_.sizes);
    if (!lo || !hi) {
      return refuse(v, fmt::format("[{}:{}] uses a size without a value", to_string(v.lo), to_string(v.hi)));
    }
    if (a.shape.empty() || *lo < 0 || *lo >= *hi || *hi > a.shape[0]) {
      return refuse(v, fmt::format("[{}:{}] of {} is out of range", *lo, *hi, shape_text(a.shape)));
    }
    v.begin = *lo;
    v.end = *hi;
    v.shape = a.shape;
    v.shape[0] = *hi - *lo;
    return {};
  }

  Status concat(Value& v) {
    if (v.per_child) {
      const int64_t n = model_.structure == Structure::sequence ? 1 : model_.children();
      if (v.args.size() != 1) return refuse(v, "concat takes one per-child value, or values of the node");
      if (n <= 0) return refuse(v, "concat over the children needs a fixed largest number of children");
      v.shape = arg(v, 0).shape;
      v.shape[0] *= n;
      v.per_child = false;
      return {};
    }
    v.shape = arg(v, 0).shape;
    for (std::size_t i = 1; i < v.args.size(); ++i) {
      const Value& a = arg(v, i);
      if (a.shape.size() != v.shape.size() || (v.shape.size() == 2 && a.shape[1] != v.shape[1])) {
        return refuse(v, fmt::format("concat of {} and {}", shape_text(v.shape), shape_text(a.shape)));
      }
      v.shape[0] += a.shape[0];
    }
    if (v.shape.empty()) return refuse(v, "concat of numbers");
    return {};
  }

  Model& model_;
  Cell& cell_;
  const char* which_;
  int64_t elements_ = 0;           // of the values so far that are computed
  std::vector<bool> reads_child_;  // by value: whether a child's state is among what it is computed of
};

Status check_sizes(const Model& model) {
  const auto dims = [&](const char* what, const std::string& name, const std::vector<Size>& sizes,
                        std::size_t most) -> Status {
    if (sizes.empty() || sizes.size() > most) {
      return invalid_argument(
          fmt::format("model {}, {} {}: 1 to {} dimensions are possible", model.name, what, name, most));
    }
    int64_t product = 1;
    for (const Size& size : sizes) {
      const std::optional<int64_t> n = evaluate(size, model.sizes);
      if (!n || *n < 1 || product > (int64_t{1} << 40) / *n) {
        return invalid_argument(
            fmt::format("model {}, {} {}: [{}] has no value, is not positive, or is too large", model.name,
                        what, name, to_string(size)));
      }
      product *= *n;
    }
    return {};
  };
  for (const Parameter& p : model.parameters) {
    if (Status s = dims(p.table ? "table" : "parameter", p.name, p.dims, p.table ? 3 : 2); !s) return s;
    if (p.table && p.dims.size() < 2) {
      return invalid_argument(
          fmt::format("model {}, table {}: needs a row per word: [v][...]", model.name, p.name));
    }
  }
  for (const State& state : model.states) {
    if (Status s = dims("state", state.name, state.dims, 2); !s) return s;
  }
  if (model.feature) {
    if (Status s = dims("input", model.feature->name, model.feature->dims, 1); !s) return s;
  }
  if (model.max_children) {
    const std::optional<int64_t> n = evaluate(*model.max_children, model.sizes);
    if (!n || *n < 1 || *n > 1024) {
      return invalid_argument(fmt::format("model {}: children {}: 1 to 1024 are possible, or any", model.name,
                                          to_string(*model.max_children)));
    }
    if (model.structure == Structure::sequence && *n != 1) {
      return invalid_argument(
          fmt::format("model {}: a step of a sequence has 1 child, not {}", model.name, *n));
    }
  }
  if (model.states.empty()) return invalid_argument(fmt::format("model {}: has no state", model.name));
  if (model.outputs.empty()) return invalid_argument(fmt::format("model {}: has no output", model.name));
  return {};
}

}  // namespace

Status check(Model& model) {
  if (Status s = check_names(model); !s) return s;
  if (Status s = check_sizes(model); !s) return s;
  if (model.leaf) {
    for (const Value& v : model.leaf->values) {
      if (v.op == Op::child) {
        return invalid_argument(fmt::format("model {}, leaf case, line {}: a leaf has no children to read of",
                                            model.name, v.line));
      }
    }
    if (Status s = Checker(model, *model.leaf, "leaf").run(); !s) return s;
  }
  return Checker(model, model.node, "node").run();
}

}  // namespace cortex::recursive
