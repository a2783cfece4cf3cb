// Merging dims. It takes two steps per pair: first, in accesses where the two dims subscript different
// tensor dimensions, those dimensions are fused (they must be contiguous in memory, and the inner
// subscript must stay inside, so that "outside the tensor" means the same before and after); then both
// dims stand in one subscript, where the outer steps over exactly the inner's extent.
#include <algorithm>
#include <optional>

#include "graph/nest/bounds.h"
#include "graph/nest/nest.h"

namespace cortex {
namespace {

// The one tensor dimension that `dim` subscripts; -1: none, -2: several.
int tensor_dim_of(const Access& access, int dim) {
  int found = -1;
  for (size_t t = 0; t < access.subscripts.size(); ++t) {
    for (const AffineTerm& term : access.subscripts[t].terms) {
      if (term.dim != dim) continue;
      if (found != -1) return -2;
      found = static_cast<int>(t);
    }
  }
  return found;
}

int64_t coefficient(const AffineExpr& expr, int dim) {
  for (const AffineTerm& term : expr.terms) {
    if (term.dim == dim) return term.coeff;
  }
  return 0;
}

template <typename T>
void erase_at(std::vector<T>& values, int index) {
  values.erase(values.begin() + index);
}

std::string joined_name(const std::string& outer, const std::string& inner, const auto& taken) {
  std::string name = outer + "_" + inner;
  while (taken(name)) name += '_';
  return name;
}

// Tensor dimensions `outer` and `inner` become one, at outer's place: index = outer * size(inner) + inner.
std::optional<Access> fuse(const Access& access, int outer, int inner, const std::vector<Dim>& dims) {
  const Tensor& t = access.tensor;
  if (t.strides[outer] != t.shape[inner] * t.strides[inner]) return std::nullopt;
  if (!stays_inside(access.subscripts[inner], dims, t.shape[inner])) return std::nullopt;
  Access fused = access;
  const int64_t width = t.shape[inner];
  AffineExpr& expr = fused.subscripts[outer];
  expr.constant = expr.constant * width + access.subscripts[inner].constant;
  for (AffineTerm& term : expr.terms) term.coeff *= width;
  for (const AffineTerm& term : access.subscripts[inner].terms) {
    const auto same = std::find_if(expr.terms.begin(), expr.terms.end(),
                                   [&](const AffineTerm& other) { return other.dim == term.dim; });
    if (same != expr.terms.end()) {
      same->coeff += term.coeff;
    } else {
      expr.terms.push_back(term);
    }
  }
  Tensor& f = fused.tensor;
  f.shape[outer] *= width;
  f.strides[outer] = t.strides[inner];
  f.dim_names[outer] = joined_name(t.dim_names[outer], t.dim_names[inner], [&](const std::string& name) {
    return std::find(f.dim_names.begin(), f.dim_names.end(), name) != f.dim_names.end();
  });
  erase_at(f.shape, inner);
  erase_at(f.strides, inner);
  erase_at(f.dim_names, inner);
  erase_at(fused.subscripts, inner);
  return fused;
}

// The access with both dims in one subscript (or in none) and the outer's step the inner's extent times
// the inner's step; no value where that cannot be.
std::optional<Access> align(const Access& access, int outer, int inner, const std::vector<Dim>& dims) {
  const int t_outer = tensor_dim_of(access, outer), t_inner = tensor_dim_of(access, inner);
  if (t_outer == -1 && t_inner == -1) return access;
  if (t_outer < 0 || t_inner < 0) return std::nullopt;
  std::optional<Access> aligned = access;
  int t = t_outer;
  if (t_outer != t_inner) {
    aligned = fuse(access, t_outer, t_inner, dims);
    if (!aligned) return std::nullopt;
    if (t_inner < t_outer) --t;
  }
  const AffineExpr& expr = aligned->subscripts[t];
  if (coefficient(expr, outer) != dims[inner].extent * coefficient(expr, inner)) return std::nullopt;
  return aligned;
}

// Drops `outer`'s terms, whose iterations `inner` takes over, and renumbers.
void remove_dim(Access& access, int outer) {
  for (AffineExpr& expr : access.subscripts) {
    std::erase_if(expr.terms, [&](const AffineTerm& term) { return term.dim == outer; });
    for (AffineTerm& term : expr.terms) {
      if (term.dim > outer) --term.dim;
    }
  }
}

// Two column dims (in C, not in A): a batch of B's and the columns of each. Bias, scale and compensation have
// one value per column and repeat over the batch, so they must stay apart.
bool repeats_columns(const Nest& nest, int outer, int inner) {
  return nest.epilogue.per_channel() && nest.dims[inner].kind == DimKind::parallel &&
         tensor_dim_of(nest[Operand::a], outer) == -1 && tensor_dim_of(nest[Operand::a], inner) == -1;
}

// Taps of a padded window stay apart from the channels below them where there are enough of those to
// multiply by: taps that fall in padding can then be left out.
constexpr int64_t enough_channels = 64;

bool hangs_over(const Nest& nest, int outer, int inner) {
  const Access& a = nest[Operand::a];
  if (!a.padded || nest.dims[outer].kind != DimKind::reduction || nest.dims[inner].extent < enough_channels)
    return false;
  const int t = tensor_dim_of(a, outer);
  return t >= 0 && t != tensor_dim_of(a, inner) &&
         !stays_inside(a.subscripts[static_cast<size_t>(t)], nest.dims,
                       a.tensor.shape[static_cast<size_t>(t)]);
}

// Kernels of depthwise windows know the positions and taps of each axis of the window by itself.
bool leaves_window(const Nest& nest, int dim) {
  const auto is_channel = [&](int d) {
    return nest.dims[static_cast<size_t>(d)].kind == DimKind::parallel &&
           std::all_of(std::begin(nest.access), std::end(nest.access),
                       [&](const Access& access) { return linear_stride(access, d) == 1; });
  };
  bool depthwise = false;
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) depthwise = depthwise || is_channel(d);
  const int t = tensor_dim_of(nest[Operand::a], dim);
  return depthwise && t >= 0 && nest[Operand::a].subscripts[static_cast<size_t>(t)].terms.size() > 1;
}

bool merge(Nest& nest, int outer, int inner) {
  if (nest.dims[outer].kind != nest.dims[inner].kind || repeats_columns(nest, outer, inner)) return false;
  if (leaves_window(nest, outer) || leaves_window(nest, inner)) return false;
  if (hangs_over(nest, outer, inner)) return false;
  std::optional<Access> aligned[operand_count];
  for (int o = 0; o < operand_count; ++o) {
    aligned[o] = align(nest.access[o], outer, inner, nest.dims);
    if (!aligned[o]) return false;
  }
  Dim& dim = nest.dims[inner];
  dim.name = joined_name(nest.dims[outer].name, dim.name,
                         [&](const std::string& name) { return nest.dim_index(name) >= 0; });
  dim.extent *= nest.dims[outer].extent;
  for (int o = 0; o < operand_count; ++o) {
    nest.access[o] = std::move(*aligned[o]);
    remove_dim(nest.access[o], outer);
  }
  erase_at(nest.dims, outer);
  return true;
}

// A dim of extent 1 only names a point; the last of its kind stays, as a contraction has both kinds.
bool drop_unit_dim(Nest& nest) {
  for (size_t d = 0; d < nest.dims.size(); ++d) {
    if (nest.dims[d].extent != 1) continue;
    const auto same_kind = std::count_if(nest.dims.begin(), nest.dims.end(),
                                         [&](const Dim& other) { return other.kind == nest.dims[d].kind; });
    if (same_kind == 1) continue;
    for (Access& access : nest.access) remove_dim(access, static_cast<int>(d));
    erase_at(nest.dims, static_cast<int>(d));
    return true;
  }
  return false;
}

// Innermost pairs first, so that names join in the order of the loops.
bool merge_any(Nest& nest) {
  for (int inner = static_cast<int>(nest.dims.size()) - 1; inner >= 0; --inner) {
    for (int outer = static_cast<int>(nest.dims.size()) - 1; outer >= 0; --outer) {
      if (outer != inner && merge(nest, outer, inner)) return true;
    }
  }
  return false;
}

// A tensor dimension of size 1 read at 0 says nothing.
void drop_unit_tensor_dims(Access& access) {
  Tensor& t = access.tensor;
  for (int i = static_cast<int>(t.shape.size()) - 1; i >= 0; --i) {
    const AffineExpr& expr = access.subscripts[i];
    if (t.shape[i] != 1 || !expr.terms.empty() || expr.constant != 0) continue;
    erase_at(t.shape, i);
    erase_at(t.strides, i);
    erase_at(t.dim_names, i);
    erase_at(access.subscripts, i);
  }
}

bool leaves_tensor(const Access& access, const std::vector<Dim>& dims) {
  for (size_t i = 0; i < access.subscripts.size(); ++i) {
    if (!stays_inside(access.subscripts[i], dims, access.tensor.shape[i])) return true;
  }
  return false;
}

}  // namespace

Nest coalesce(const Nest& nest) {
  Nest merged = nest;
  while (drop_unit_dim(merged)) {
  }
  for (Access& access : merged.access) drop_unit_tensor_dims(access);
  while (merge_any(merged)) {
  }
  for (Access& access : merged.access) access.padded = access.padded && leaves_tensor(access, merged.dims);
  return merged;
}

}  // namespace cortex
