// isl's AST expressions as loop IR expressions.
#pragma once

#include <isl/ast.h>

#include "generators/loop_ir/expr.h"
#include "support/result.h"

namespace cortex {

// Refuses null (a failed isl call) and operations the loop IR does not have.
Result<Expr> convert(isl_ast_expr* expr);

}  // namespace cortex
