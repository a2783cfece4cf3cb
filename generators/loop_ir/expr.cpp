#include "generators/loop_ir/expr.h"

#include <algorithm>

namespace cortex {
namespace {

using Op = Expr::Op;

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

// Folding wraps like the hardware would; verify() of the nest has bounded every size before.
int64_t evaluate(Op op, int64_t a, int64_t b) {
  const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  switch (op) {
    case Op::add:
      return static_cast<int64_t>(ua + ub);
    case Op::sub:
      return static_cast<int64_t>(ua - ub);
    case Op::mul:
      return static_cast<int64_t>(ua * ub);
    case Op::div:
      return a / b;
    case Op::mod:
      return a % b;
    case Op::floor_div:
      return floor_divide(a, b);
    case Op::min:
      return std::min(a, b);
    case Op::max:
      return std::max(a, b);
    case Op::lt:
      return a < b;
    case Op::le:
      return a <= b;
    case Op::eq:
      return a == b;
    case Op::logical_and:
      return a && b;
    case Op::logical_or:
      return a || b;
    default:
      return 0;
  }
}

bool divides(Op op) { return op == Op::div || op == Op::mod || op == Op::floor_div; }

Expr raw(Op op, std::vector<Expr> args) {
  Expr e;
  e.op = op;
  e.args = std::move(args);
  return e;
}

}  // namespace

Expr Expr::var(std::string name) {
  Expr e;
  e.op = Op::variable;
  e.name = std::move(name);
  return e;
}

Expr make_expr(Op op, std::vector<Expr> args) {
  if (op == Op::select) {
    if (args[0].is_constant()) return args[0].value ? args[1] : args[2];
    return args[1] == args[2] ? args[1] : raw(op, std::move(args));
  }
  const Expr& a = args[0];
  const Expr& b = args[1];
  if (a.is_constant() && b.is_constant() && !(divides(op) && b.value == 0)) {
    return evaluate(op, a.value, b.value);
  }
  switch (op) {
    case Op::add:
      if (b.is_constant()) return add_constant(a, b.value);
      if (a.is_constant()) return add_constant(b, a.value);
      break;
    case Op::sub:
      if (b.is_constant()) return add_constant(a, -b.value);
      if (a == b) return 0;
      break;
    case Op::mul:
      if (a.is_constant(0) || b.is_constant(0)) return 0;
      if (a.is_constant(1)) return b;
      if (b.is_constant(1)) return a;
      break;
    case Op::div:
    case Op::floor_div:
      if (b.is_constant(1)) return a;
      break;
    case Op::mod:
      if (b.is_constant(1)) return 0;
      break;
    case Op::min:
    case Op::max:
      if (a == b) return a;
      break;
    case Op::logical_and:
      if (a.is_constant()) return a.value ? b : Expr(0);
      if (b.is_constant()) return b.value ? a : Expr(0);
      break;
    case Op::logical_or:
      if (a.is_constant()) return a.value ? Expr(1) : b;
      if (b.is_constant()) return b.value ? Expr(1) : a;
      break;
    default:
      break;
  }
  return raw(op, std::move(args));
}

Expr add_constant(Expr e, int64_t k) {
  if (k == 0) return e;
  if (e.is_constant()) return evaluate(Op::add, e.value, k);
  if (e.op == Op::min || e.op == Op::max) {
    return make_expr(e.op, {add_constant(e.args[0], k), add_constant(e.args[1], k)});
  }
  if ((e.op == Op::add || e.op == Op::sub) && e.args[1].is_constant()) {
    const int64_t old = e.op == Op::add ? e.args[1].value : -e.args[1].value;
    return add_constant(e.args[0], evaluate(Op::add, old, k));
  }
  if (e.op == Op::sub && e.args[0].is_constant()) {
    return raw(Op::sub, {Expr(evaluate(Op::add, e.args[0].value, k)), e.args[1]});
  }
  return k > 0 ? raw(Op::add, {std::move(e), Expr(k)}) : raw(Op::sub, {std::move(e), Expr(-k)});
}

Expr operator+(Expr a, Expr b) { return make_expr(Op::add, {std::move(a), std::move(b)}); }
Expr operator-(Expr a, Expr b) { return make_expr(Op::sub, {std::move(a), std::move(b)}); }
Expr operator*(Expr a, Expr b) { return make_expr(Op::mul, {std::move(a), std::move(b)}); }
Expr less(Expr a, Expr b) { return make_expr(Op::lt, {std::move(a), std::move(b)}); }
Expr equal(Expr a, Expr b) { return make_expr(Op::eq, {std::move(a), std::move(b)}); }
Expr min(Expr a, Expr b) { return make_expr(Op::min, {std::move(a), std::move(b)}); }
Expr logical_and(Expr a, Expr b) { return make_expr(Op::logical_and, {std::move(a), std::move(b)}); }
Expr logical_or(Expr a, Expr b) { return make_expr(Op::logical_or, {std::move(a), std::move(b)}); }
Expr select(Expr c, Expr yes, Expr no) {
  return make_expr(Op::select, {std::move(c), std::move(yes), std::move(no)});
}

Expr linear(const std::vector<std::pair<Expr, int64_t>>& terms, int64_t constant) {
  std::vector<std::pair<Expr, int64_t>> merged;
  for (const auto& [e, coeff] : terms) {
    if (e.is_constant()) {
      constant = evaluate(Op::add, constant, evaluate(Op::mul, e.value, coeff));
      continue;
    }
    const auto at = std::find_if(merged.begin(), merged.end(), [&](const auto& m) { return m.first == e; });
    if (at == merged.end())
      merged.emplace_back(e, coeff);
    else
      at->second += coeff;
  }
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (merged[i].second >= 0) continue;
    const auto plus = std::find_if(merged.begin(), merged.end(), [&](const auto& m) {
      return m.second == -merged[i].second && m.first.op == Op::variable;
    });
    if (plus == merged.end()) continue;
    plus->first = raw(Op::sub, {plus->first, merged[i].first});
    merged[i].second = 0;
  }
  Expr sum = 0;
  bool empty = true;
  for (const auto& [e, coeff] : merged) {
    if (coeff == 0) continue;
    if (empty)
      sum = coeff > 0 ? e * Expr(coeff) : Expr(coeff) * e;
    else
      sum = coeff > 0 ? raw(Op::add, {sum, e * Expr(coeff)}) : raw(Op::sub, {sum, e * Expr(-coeff)});
    empty = false;
  }
  return add_constant(sum, constant);
}

void visit_variables(const Expr& e, const std::function<void(const std::string&)>& visit) {
  if (e.op == Op::variable) visit(e.name);
  for (const Expr& a : e.args) visit_variables(a, visit);
}

bool uses(const Expr& e, std::string_view variable) {
  bool found = false;
  visit_variables(e, [&](const std::string& name) { found = found || name == variable; });
  return found;
}

Expr substitute(const Expr& e, const std::function<Expr(const std::string&)>& value) {
  if (e.is_constant()) return e;
  if (e.op == Op::variable) return value(e.name);
  std::vector<Expr> args;
  for (const Expr& a : e.args) args.push_back(substitute(a, value));
  return make_expr(e.op, std::move(args));
}

bool uses_op(const Expr& e, Op op) {
  return e.op == op ||
         std::any_of(e.args.begin(), e.args.end(), [&](const Expr& a) { return uses_op(a, op); });
}

}  // namespace cortex
