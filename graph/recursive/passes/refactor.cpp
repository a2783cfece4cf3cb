#include <fmt/format.h>

#include "graph/recursive/check.h"
#include "graph/recursive/passes/passes.h"
#include "graph/recursive/passes/rewrite.h"

namespace cortex::recursive {
namespace {

// The parameter of a product's matrix and its rows; nullptr if it is none.
const Value* matrix_of(const Cell& cell, const Value& product, int64_t& lo, int64_t& hi) {
  const Value* matrix = &cell.values[static_cast<std::size_t>(product.args[0])];
  lo = 0;
  hi = matrix->shape.empty() ? 0 : matrix->shape[0];
  if (matrix->op == Op::slice) {
    lo = matrix->begin;
    hi = matrix->end;
    matrix = &cell.values[static_cast<std::size_t>(matrix->args[0])];
  }
  return matrix->op == Op::parameter ? matrix : nullptr;
}

// The end of a cell computes parameter[lo:hi] @ the state, as a new state.
void append_product(Cell& cell, const Value& parameter, int64_t lo, int64_t hi, int state,
                    const std::string& name) {
  const auto add = [&](Value v) {
    cell.values.push_back(std::move(v));
    return static_cast<int>(cell.values.size()) - 1;
  };
  Value p;
  p.op = Op::parameter;
  p.ref = parameter.ref;
  int matrix = add(p);
  if (lo != 0 || hi != parameter.shape[0]) {
    Value slice;
    slice.op = Op::slice;
    slice.args = {matrix};
    slice.lo = number(lo);
    slice.hi = number(hi);
    matrix = add(slice);
  }
  Value product;
  product.op = Op::matmul;
  product.args = {matrix, cell.states[static_cast<std::size_t>(state)]};
  product.name = name;
  cell.states.push_back(add(product));
}

}  // namespace

Result<Model> refactor_recursion(const Model& model) {
  if (!model.leaf) return model;  // both cases are needed to compute the new state in
  Model out = model;
  const std::size_t count = out.node.values.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Value product = out.node.values[i];
    if (product.op != Op::matmul || !product.per_child) continue;
    const Value operand = out.node.values[static_cast<std::size_t>(product.args[1])];
    int64_t lo = 0, hi = 0;
    const Value* found = matrix_of(out.node, product, lo, hi);
    if (!found || operand.op != Op::child || operand.child.kind != ChildRef::each ||
        operand.shape.size() != 1)
      continue;
    const Value parameter = *found;
    State state;
    state.name = fmt::format("{}_{}{}", out.parameters[static_cast<std::size_t>(parameter.ref)].name,
                             out.states[static_cast<std::size_t>(operand.ref)].name, out.states.size());
    while (out.find_state(state.name) >= 0 || out.find_parameter(state.name) >= 0 ||
           (out.feature && out.feature->name == state.name))
      state.name += "_";
    state.dims = {number(hi - lo)};
    append_product(out.node, parameter, lo, hi, operand.ref, state.name);
    append_product(*out.leaf, parameter, lo, hi, operand.ref, state.name);
    Value read = operand;
    read.ref = static_cast<int>(out.states.size());
    read.name = product.name;
    out.node.values[i] = read;
    out.states.push_back(state);
  }
  if (Status s = check(out); !s) return s.error();
  return drop_unused(out);
}

}  // namespace cortex::recursive
