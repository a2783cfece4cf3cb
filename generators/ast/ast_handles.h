// isl's AST generator objects as Handles.
#pragma once

#include <isl/ast.h>
#include <isl/ast_build.h>
#include <isl/id.h>
#include <isl/schedule.h>

#include "polyopt/isl/handle.h"

namespace cortex::polyhedral {

#define CORTEX_ISL_HANDLE(type)                           \
  template <>                                             \
  struct HandleTraits<type> {                             \
    static type* copy(type* p) { return type##_copy(p); } \
    static void free(type* p) { type##_free(p); }         \
  }
CORTEX_ISL_HANDLE(isl_ast_build);
CORTEX_ISL_HANDLE(isl_ast_expr);
CORTEX_ISL_HANDLE(isl_ast_node);
CORTEX_ISL_HANDLE(isl_ast_node_list);
CORTEX_ISL_HANDLE(isl_id);
CORTEX_ISL_HANDLE(isl_id_list);
CORTEX_ISL_HANDLE(isl_pw_aff);
CORTEX_ISL_HANDLE(isl_pw_multi_aff);
CORTEX_ISL_HANDLE(isl_schedule);
#undef CORTEX_ISL_HANDLE

}  // namespace cortex::polyhedral
