// The same interface in a build without PPL.
#include "polyopt/ppl/bounds.h"
#include "polyopt/ppl/tile_limit.h"

namespace cortex {

bool built_with_ppl() { return false; }
std::string ppl_version() { return "without PPL"; }

Result<TileLimit> largest_tile(const Nest& nest, std::vector<int64_t> tile, int dim, int64_t capacity_bytes,
                               int64_t line_bytes) {
  return largest_tile_by_search(nest, std::move(tile), dim, capacity_bytes, line_bytes);
}

Result<Bounds> expression_bounds(const Nest& nest, const AffineExpr& expr) {
  Bounds bounds{expr.constant, expr.constant};
  for (const AffineTerm& term : expr.terms) {
    const int64_t reach = term.coeff * (nest.dims[term.dim].extent - 1);
    (reach < 0 ? bounds.min : bounds.max) += reach;
  }
  return bounds;
}

}  // namespace cortex
