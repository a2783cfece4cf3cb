// Integer expressions of the loop IR: what loop bounds, tile lengths, byte offsets and conditions are
// made of. A value type; text is C++ syntax, and parses back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/result.h"

namespace cortex {

struct Expr {
  enum class Op {
    constant,
    variable,
    add,
    sub,
    mul,
    div,
    mod,        // operands known to be non-negative: C++'s / and %
    floor_div,  // rounds towards minus infinity
    min,
    max,
    lt,
    le,
    eq,
    logical_and,
    logical_or,  // 0 or 1
    select,      // args[0] ? args[1] : args[2]
  };

  Op op = Op::constant;
  int64_t value = 0;  // of a constant
  std::string name;   // of a variable
  std::vector<Expr> args;

  Expr() = default;
  Expr(int64_t constant) : value(constant) {}
  static Expr var(std::string name);

  bool is_constant() const { return op == Op::constant; }
  bool is_constant(int64_t v) const { return is_constant() && value == v; }
  bool operator==(const Expr&) const = default;
};

// Construction folds constants and drops neutral elements, so that what is printed is short.
Expr make_expr(Expr::Op op, std::vector<Expr> args);
Expr add_constant(Expr e, int64_t k);  // reaches into sums, min and max
Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr less(Expr a, Expr b);
Expr equal(Expr a, Expr b);
Expr min(Expr a, Expr b);
Expr logical_and(Expr a, Expr b);
Expr logical_or(Expr a, Expr b);
Expr select(Expr condition, Expr yes, Expr no);

// Linear combination of variables in the order given; equal variables are merged, zero ones dropped, and
// x*c - y*c becomes (x - y) * c.
Expr linear(const std::vector<std::pair<Expr, int64_t>>& terms, int64_t constant);

std::string to_string(const Expr& e);
Result<Expr> parse_expr(std::string_view text);
Result<Expr> parse_expr_prefix(std::string_view& text);  // leaves what follows the expression

// Calls `visit` for every variable in it, in order of appearance.
void visit_variables(const Expr& e, const std::function<void(const std::string&)>& visit);
bool uses(const Expr& e, std::string_view variable);
Expr substitute(const Expr& e, const std::function<Expr(const std::string&)>& value);  // of each variable
bool uses_op(const Expr& e, Expr::Op op);

}  // namespace cortex
