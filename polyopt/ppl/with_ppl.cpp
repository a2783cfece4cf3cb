#include <fmt/format.h>

#include "polyopt/ppl/bounds.h"
#include "polyopt/ppl/box.h"
#include "polyopt/ppl/session.h"
#include "polyopt/ppl/tile_limit.h"
#include "support/checked.h"

namespace cortex {
namespace {

namespace ppl = Parma_Polyhedra_Library;

ppl::Coefficient coefficient(int64_t v) { return ppl::Coefficient(static_cast<long>(v)); }

int64_t optimum(const ppl::MIP_Problem& program) {
  ppl::Coefficient numerator, denominator;
  program.optimal_value(numerator, denominator);
  return ppl::Coefficient(numerator / denominator).get_si();
}

// One operand's box as `outer` times `inner`, where only `inner` or only `outer` depends on the dim.
struct AffineBox {
  int64_t factor = 1;               // product of the spans that do not depend on the dim
  int64_t slope = 0, constant = 0;  // the one that does: slope * T + constant
  bool in_lines = false;            // that one is the contiguous dimension: counted in elements, rounded up
};

// nullopt: the dim occurs in several subscripts of the operand, or sizes overflow.
std::optional<AffineBox> affine_box(const Access& access, const std::vector<int64_t>& tile, int dim,
                                    int64_t line) {
  AffineBox box;
  const int contiguous = contiguous_dimension(access.tensor);
  const int64_t elem = size_of(access.tensor.type);
  bool found = false;
  for (int j = 0; j < std::ssize(access.subscripts); ++j) {
    int64_t slope = 0;
    for (const AffineTerm& term : access.subscripts[j].terms) slope += term.dim == dim ? term.coeff : 0;
    const std::optional<int64_t> s = box_span(access.subscripts[j], tile);  // with tile[dim] == 1
    if (!s) return std::nullopt;
    if (slope != 0) {
      if (found) return std::nullopt;
      found = true;
      box.slope = slope;
      box.constant = *s - slope;
      box.in_lines = j == contiguous;
      continue;
    }
    const auto bytes = j == contiguous ? checked_mul(*s, elem) : s;
    if (!bytes) return std::nullopt;
    const auto product =
        checked_mul(box.factor, j == contiguous ? *bytes / line + (*bytes % line != 0) : *bytes);
    if (!product) return std::nullopt;
    box.factor = *product;
  }
  if (!found) box.constant = 1;
  return box;
}

}  // namespace

bool built_with_ppl() { return true; }
std::string ppl_version() { return fmt::format("PPL {}", ppl::version()); }

Result<TileLimit> largest_tile(const Nest& nest, std::vector<int64_t> tile, int dim, int64_t capacity_bytes,
                               int64_t line_bytes) try {
  // Checks the arguments, and answers where the program is not linear.
  Result<TileLimit> searched = largest_tile_by_search(nest, tile, dim, capacity_bytes, line_bytes);
  if (!searched || searched->tile == 0) return searched;
  tile[dim] = 1;

  // maximise T subject to  line * sum over operands of factor * (slope T + constant)  <=  capacity,
  // where a span along the contiguous dimension is q lines instead: q * line >= elem * (slope T + constant).
  const PplSession session;
  const ppl::Variable T(0);
  ppl::Linear_Expression total;
  ppl::Constraint_System constraints;
  ppl::Variables_Set integers(T);
  constraints.insert(T >= 1);
  constraints.insert(T <= coefficient(nest.dims[dim].extent));
  for (int o = 0; o < operand_count; ++o) {
    const Access& access = nest.access[o];
    const std::optional<AffineBox> box = affine_box(access, tile, dim, line_bytes);
    if (!box) return searched;
    const ppl::Linear_Expression elements = coefficient(box->slope) * T + coefficient(box->constant);
    if (box->in_lines) {
      const ppl::Variable q(1 + o);
      integers.insert(q);
      constraints.insert(coefficient(line_bytes) * q >= coefficient(size_of(access.tensor.type)) * elements);
      total += coefficient(box->factor) * q;
    } else {
      total += coefficient(box->factor) * elements;
    }
  }
  constraints.insert(coefficient(line_bytes) * total <= coefficient(capacity_bytes));
  ppl::MIP_Problem program(1 + operand_count, constraints.begin(), constraints.end(), integers, T,
                           ppl::MAXIMIZATION);
  if (program.solve() != ppl::OPTIMIZED_MIP_PROBLEM) {
    return internal_error(
        fmt::format("tile limit of {}: the integer program has no optimum, the search has {}",
                    nest.dims[dim].name, searched->tile));
  }
  tile[dim] = optimum(program);
  return TileLimit{tile[dim], box_bytes(nest, tile, line_bytes).value_or(INT64_MAX), true};
} catch (const std::exception& e) {
  return internal_error(fmt::format("tile limit: PPL failed: {}", e.what()));
}

Result<Bounds> expression_bounds(const Nest& nest, const AffineExpr& expr) try {
  const PplSession session;
  ppl::Constraint_System constraints;
  ppl::Variables_Set integers;
  ppl::Linear_Expression value = ppl::Linear_Expression(coefficient(expr.constant));
  for (std::size_t d = 0; d < nest.dims.size(); ++d) {
    const ppl::Variable i(d);
    integers.insert(i);
    constraints.insert(i >= 0);
    constraints.insert(i <= coefficient(nest.dims[d].extent - 1));
  }
  for (const AffineTerm& term : expr.terms) value += coefficient(term.coeff) * ppl::Variable(term.dim);
  const auto extreme = [&](ppl::Optimization_Mode mode) {
    ppl::MIP_Problem program(nest.dims.size(), constraints.begin(), constraints.end(), integers, value, mode);
    return optimum(program);
  };
  return Bounds{extreme(ppl::MINIMIZATION), extreme(ppl::MAXIMIZATION)};
} catch (const std::exception& e) {
  return internal_error(fmt::format("bounds: PPL failed: {}", e.what()));
}

}  // namespace cortex
