#include "graph/lower/lower.h"

#include <algorithm>

#include "graph/lower/lower_op.h"
#include "graph/nest/bounds.h"

namespace cortex {

int NestBuilder::keep_one(int dim, std::string name, DimKind kind) {
  const auto& dims = nest_.dims;
  if (std::any_of(dims.begin(), dims.end(), [&](const Dim& d) { return d.kind == kind; })) return dim;
  nest_.dims.push_back({std::move(name), 1, kind});
  return static_cast<int>(dims.size()) - 1;
}

void NestBuilder::access(Operand operand, std::string name, DataType type,
                         const std::vector<TensorDim>& tensor_dims) {
  Access& access = nest_[operand];
  access.tensor.name = std::move(name);
  access.tensor.type = type;
  int64_t stride = 1;
  for (auto it = tensor_dims.rbegin(); it != tensor_dims.rend(); ++it) {
    if (it->size == 1 && it->subscript.terms.empty() && it->subscript.constant == 0) continue;
    access.tensor.dim_names.push_back(it->name);
    access.tensor.shape.push_back(it->size);
    access.tensor.strides.push_back(stride);
    access.subscripts.push_back(it->subscript);
    access.padded = access.padded || !stays_inside(it->subscript, nest_.dims, it->size);
    stride *= it->size;
  }
  std::reverse(access.tensor.dim_names.begin(), access.tensor.dim_names.end());
  std::reverse(access.tensor.shape.begin(), access.tensor.shape.end());
  std::reverse(access.tensor.strides.begin(), access.tensor.strides.end());
  std::reverse(access.subscripts.begin(), access.subscripts.end());
}

AffineExpr affine(std::initializer_list<AffineTerm> terms, int64_t constant) {
  AffineExpr expr;
  expr.constant = constant;
  for (const AffineTerm& term : terms) {
    if (term.dim >= 0) expr.terms.push_back(term);
  }
  return expr;
}

Result<Nest> lower(const Problem& problem) {
  if (Status s = validate(problem); !s) return s.error();
  auto nest = problem.is_conv() ? lower_conv(problem) : lower_matmul(problem);
  if (!nest) return nest;
  nest->epilogue = problem.epilogue;
  if (Status s = verify(*nest); !s) return s.error();
  return nest;
}

}  // namespace cortex
