#include "polyopt/isl/subscript_bounds.h"

#include <fmt/format.h>

#include "polyopt/isl/statements.h"

namespace cortex {

using namespace polyhedral;

Result<std::pair<int64_t, int64_t>> subscript_bounds(const Nest& nest, const AffineExpr& expr) {
  const Context context;
  const Set values = call(
      isl_set_apply, domain(context, nest, Statement::update),
      context.map(fmt::format("{{ {} -> [{}] }}", instance_text(nest, Statement::update), expr_text(expr))));
  const Val min = call(isl_set_dim_min_val, values, 0), max = call(isl_set_dim_max_val, values, 0);
  if (!min || !max || !isl_val_is_int(min.get()) || !isl_val_is_int(max.get())) {
    return context.refusal(fmt::format("bounds of {}", expr_text(expr)));
  }
  return std::pair{isl_val_get_num_si(min.get()), isl_val_get_num_si(max.get())};
}

}  // namespace cortex
