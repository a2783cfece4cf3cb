// Recognises a depthwise nest and reads its window off the subscripts of A.
#include <algorithm>

#include "polyopt/schedule/program.h"

namespace cortex {
namespace {

bool is_channel(const Nest& nest, int dim) {
  if (nest.dims[dim].kind != DimKind::parallel) return false;
  return std::all_of(std::begin(nest.access), std::end(nest.access),
                     [&](const Access& access) { return linear_stride(access, dim) == 1; });
}

// One axis per tensor dimension of A that slides a window or is padded.
std::optional<WindowAxis> read_axis(const Nest& nest, const Access& a, std::size_t j) {
  const AffineExpr& e = a.subscripts[j];
  if (e.terms.size() > 2) return std::nullopt;
  const int64_t bytes = size_of(a.tensor.type);
  WindowAxis axis;
  axis.in_extent = a.tensor.shape[j];
  axis.in_stride = a.tensor.strides[j] * bytes;
  axis.pad = -e.constant;
  for (const AffineTerm& t : e.terms) {
    if (nest.dims[t.dim].kind == DimKind::reduction) {
      if (axis.window_dim >= 0) return std::nullopt;
      axis.window_dim = t.dim;
      axis.dilation = t.coeff;
      axis.w_stride = linear_stride(nest[Operand::b], t.dim) * size_of(nest[Operand::b].tensor.type);
    } else {
      if (axis.out_dim >= 0) return std::nullopt;
      axis.out_dim = t.dim;
      axis.stride = t.coeff;
    }
  }
  return axis;
}

bool slides(const Nest& nest, const Access& a, std::size_t j) {
  const AffineExpr& e = a.subscripts[j];
  if (e.constant != 0) return true;
  int64_t last = 0;
  for (const AffineTerm& t : e.terms) {
    if (nest.dims[t.dim].kind == DimKind::reduction) return true;
    last += t.coeff * (nest.dims[t.dim].extent - 1);
  }
  return last >= a.tensor.shape[j];
}

}  // namespace

std::optional<Window> depthwise_window(const Nest& nest) {
  const DataType type = nest[Operand::a].tensor.type;
  if (element_of(type) != type) return std::nullopt;  // units have products of their own to add up
  int channel = -1;
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
    if (is_channel(nest, d)) channel = d;
  }
  if (channel < 0) return std::nullopt;
  const Access& a = nest[Operand::a];
  // Weights may depend on the channel and the window alone: anything else is a contraction in groups.
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
    if (d != channel && nest.dims[d].kind == DimKind::parallel && linear_stride(nest[Operand::b], d) != 0) {
      return std::nullopt;
    }
  }

  std::vector<WindowAxis> axes;
  for (std::size_t j = 0; j < a.subscripts.size(); ++j) {
    const auto& terms = a.subscripts[j].terms;
    const bool has_channel =
        std::any_of(terms.begin(), terms.end(), [&](const AffineTerm& t) { return t.dim == channel; });
    if (has_channel) {
      if (terms.size() != 1 || a.subscripts[j].constant != 0) return std::nullopt;
      continue;
    }
    if (!slides(nest, a, j)) continue;
    const std::optional<WindowAxis> axis = read_axis(nest, a, j);
    if (!axis) return std::nullopt;
    axes.push_back(*axis);
  }
  if (axes.empty()) {
    // A pointwise product: any other dim of A serves as the row of outputs.
    for (std::size_t j = a.subscripts.size(); j-- > 0 && axes.empty();) {
      const auto& terms = a.subscripts[j].terms;
      if (terms.size() == 1 && terms[0].dim != channel) {
        if (const std::optional<WindowAxis> axis = read_axis(nest, a, j)) axes.push_back(*axis);
      }
    }
  }
  if (axes.size() > 3) return std::nullopt;

  Window window;
  WindowAxis* slots[] = {&window.w, &window.h, &window.d};
  for (std::size_t i = 0; i < axes.size(); ++i) *slots[i] = axes[axes.size() - 1 - i];
  return window;
}

}  // namespace cortex
