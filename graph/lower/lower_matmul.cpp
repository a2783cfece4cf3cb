#include <fmt/format.h>

#include <algorithm>

#include "graph/lower/lower_op.h"
#include "support/checked.h"

namespace cortex {

Result<Nest> lower_matmul(const Problem& problem) {
  const MatmulProblem& p = problem.matmul();
  NestBuilder nest("matmul");
  using TensorDims = std::vector<NestBuilder::TensorDim>;
  TensorDims a, b, c;
  bool b_batched = false;
  for (size_t i = 0; i < p.batch_a.size(); ++i) {
    const std::string name = fmt::format("b{}", i);
    const int64_t extent = std::max(p.batch_a[i], p.batch_b[i]);
    const int dim = nest.dim(name, extent, DimKind::parallel);
    // A size of 1 is read at 0 for every batch index.
    a.push_back({name, p.batch_a[i], p.batch_a[i] == 1 ? affine({}) : affine({{dim, 1}})});
    b.push_back({name, p.batch_b[i], p.batch_b[i] == 1 ? affine({}) : affine({{dim, 1}})});
    c.push_back({name, extent, affine({{dim, 1}})});
    b_batched = b_batched || p.batch_b[i] != 1;
  }
  const int m = nest.dim("m", p.m, DimKind::parallel);
  const int n = nest.keep_one(nest.dim("n", p.n, DimKind::parallel), "n", DimKind::parallel);
  // Units of narrow types lie along k: what the caller holds otherwise is copied before (see a_in_units).
  const int64_t units = ceil_div(p.k, unit_length(problem.src));
  const bool narrow = unit_length(problem.src) > 1;
  const int k = nest.keep_one(nest.dim("k", units, DimKind::reduction), "k", DimKind::reduction);
  a.push_back({"m", p.m, affine({{m, 1}})});
  a.push_back({"k", units, affine({{k, 1}})});
  b.push_back({"k", units, affine({{k, 1}})});
  b.push_back({"n", p.n, affine({{n, 1}})});
  c.push_back({"m", p.m, affine({{m, 1}})});
  c.push_back({"n", p.n, affine({{n, 1}})});
  if (p.a_transposed && !narrow) std::swap(a[a.size() - 1], a[a.size() - 2]);
  if (p.b_transposed && b_in_units(problem)) std::swap(b[b.size() - 1], b[b.size() - 2]);
  nest.access(Operand::a, "src", unit_of(a_is_copied(problem) ? DataType::u8 : problem.src), a);
  nest.access(Operand::b, "wei", unit_of(problem.wei), b);
  nest.access(Operand::c, "dst", problem.dst, c);
  Nest result = nest.take();
  // A matrix per batch index is data (attention), one for all is weights.
  result.b_constant = !b_batched;
  return result;
}

}  // namespace cortex
