#include "generators/ast/isl_expr.h"

#include <fmt/format.h>

#include <optional>

#include "generators/ast/ast_handles.h"

namespace cortex {
namespace {

using namespace polyhedral;
using Op = Expr::Op;

// isl's binary operations that the loop IR has as they are. pdiv: the dividend is not negative; div:
// the division leaves no remainder.
std::optional<Op> direct(isl_ast_expr_op_type type) {
  switch (type) {
    case isl_ast_expr_op_add:
      return Op::add;
    case isl_ast_expr_op_sub:
      return Op::sub;
    case isl_ast_expr_op_mul:
      return Op::mul;
    case isl_ast_expr_op_div:
    case isl_ast_expr_op_pdiv_q:
      return Op::div;
    case isl_ast_expr_op_pdiv_r:
      return Op::mod;
    case isl_ast_expr_op_fdiv_q:
      return Op::floor_div;
    case isl_ast_expr_op_min:
      return Op::min;
    case isl_ast_expr_op_max:
      return Op::max;
    case isl_ast_expr_op_le:
      return Op::le;
    case isl_ast_expr_op_lt:
      return Op::lt;
    case isl_ast_expr_op_eq:
      return Op::eq;
    case isl_ast_expr_op_and:
    case isl_ast_expr_op_and_then:
      return Op::logical_and;
    case isl_ast_expr_op_or:
    case isl_ast_expr_op_or_else:
      return Op::logical_or;
    default:
      return std::nullopt;
  }
}

Result<Expr> operation(isl_ast_expr* expr) {
  const isl_ast_expr_op_type type = isl_ast_expr_op_get_type(expr);
  std::vector<Expr> args;
  for (int i = 0; i < isl_ast_expr_op_get_n_arg(expr); ++i) {
    const Handle<isl_ast_expr> arg(isl_ast_expr_op_get_arg(expr, i));
    const Result<Expr> converted = convert(arg.get());
    if (!converted) return converted;
    args.push_back(*converted);
  }
  if (type == isl_ast_expr_op_minus) return Expr(0) - args[0];
  if (type == isl_ast_expr_op_ge) return make_expr(Op::le, {args[1], args[0]});
  if (type == isl_ast_expr_op_gt) return make_expr(Op::lt, {args[1], args[0]});
  if (type == isl_ast_expr_op_cond || type == isl_ast_expr_op_select) return make_expr(Op::select, args);
  if (const std::optional<Op> op = direct(type)) {
    // min and max take any number of arguments.
    Expr all = args[0];
    for (std::size_t i = 1; i < args.size(); ++i) all = make_expr(*op, {all, args[i]});
    return all;
  }
  return internal_error(fmt::format("isl AST operation {} has no loop IR form", static_cast<int>(type)));
}

}  // namespace

Result<Expr> convert(isl_ast_expr* expr) {
  switch (isl_ast_expr_get_type(expr)) {
    case isl_ast_expr_int: {
      const Val value(isl_ast_expr_int_get_val(expr));
      return Expr(isl_val_get_num_si(value.get()));
    }
    case isl_ast_expr_id: {
      const Handle<isl_id> id(isl_ast_expr_id_get_id(expr));
      return Expr::var(isl_id_get_name(id.get()));
    }
    case isl_ast_expr_op:
      return operation(expr);
    default:
      return internal_error("isl gave no expression");
  }
}

}  // namespace cortex
