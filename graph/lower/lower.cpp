#include "graph/lower/lower.h"

#include <algorithm>

#include "graph/lower/lower_op.h"
#include "graph/nest/bounds.h"
#include "support/checked.h"

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
  nest->epilogue.compensation = a_zero(problem) != 0;
  if (is_depthwise(problem)) nest->a_zero_point = problem.src_zero_point;
  if (Status s = verify(*nest); !s) return s.error();
  return nest;
}

bool is_depthwise(const Problem& problem) {
  if (!problem.is_conv()) return false;
  const ConvProblem& p = problem.conv();
  return p.g > 1 && p.ic == p.g && p.oc == p.g;
}

int32_t a_zero(const Problem& problem) {
  if (is_depthwise(problem)) return 0;
  return problem.src_zero_point + (problem.src == DataType::s8 ? 128 : 0);
}

bool a_is_copied(const Problem& problem) {
  if (is_depthwise(problem)) return false;
  if (problem.src == DataType::s8) return true;
  if (problem.src_zero_point == 0 || !problem.is_conv()) return false;
  const ConvProblem& p = problem.conv();
  return std::max({p.pd, p.ph, p.pw, p.pd_r, p.ph_r, p.pw_r}) > 0;
}

ConvProblem with_halo(const ConvProblem& conv) {
  ConvProblem p = conv;
  p.id += p.pd + std::max<int64_t>(p.pd_r, 0);
  p.ih += p.ph + std::max<int64_t>(p.ph_r, 0);
  p.iw += p.pw + std::max<int64_t>(p.pw_r, 0);
  p.pd_r = std::min<int64_t>(p.pd_r, 0);
  p.ph_r = std::min<int64_t>(p.ph_r, 0);
  p.pw_r = std::min<int64_t>(p.pw_r, 0);
  p.pd = p.ph = p.pw = 0;
  return p;
}

// Of more channels a unit that is partly empty is a small part.
constexpr int64_t most_channels_of_rows = 16;

std::optional<RowsInUnits> rows_in_units(const Problem& problem) {
  const int64_t length = unit_length(problem.src);
  if (!problem.is_conv() || length == 1 || a_is_copied(problem) || a_zero(problem) != 0) return std::nullopt;
  const ConvProblem& p = problem.conv();
  if (p.g != 1 || p.dw != 0 || p.ic % length == 0 || p.ic > most_channels_of_rows) return std::nullopt;
  if (p.iw * p.ic % length != 0 || p.sw * p.ic % length != 0) return std::nullopt;
  RowsInUnits rows{p, (length - p.pw * p.ic % length) % length};
  ConvProblem& q = rows.conv;
  q.ic = length;
  q.iw = p.iw * p.ic / length;
  q.sw = p.sw * p.ic / length;
  q.pw = (p.pw * p.ic + rows.front) / length;
  q.kw = ceil_div(rows.front + p.kw * p.ic, length);
  q.pw_r = (q.ow - 1) * q.sw + q.kw - q.iw - q.pw;
  if (q.kw >= p.kw * ceil_div(p.ic, length)) return std::nullopt;
  return rows;
}

bool a_in_units(const Problem& problem) {
  const int64_t length = unit_length(problem.src);
  if (length == 1 || is_depthwise(problem)) return true;
  if (a_is_copied(problem)) return false;
  if (problem.is_conv()) return problem.conv().ic / problem.conv().g % length == 0 || rows_in_units(problem);
  return !problem.matmul().a_transposed && problem.matmul().k % length == 0;
}

bool b_in_units(const Problem& problem) {
  const int64_t length = unit_length(problem.wei);
  if (length == 1) return true;
  return problem.is_matmul() && problem.matmul().b_transposed && problem.matmul().k % length == 0;
}

}  // namespace cortex
