#include "runtime/plan/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace cortex {

void Copy::run(cortex_pack_fn pack, const void* from, void* to, int part, int parts) const {
  std::array<int64_t, CORTEX_PACK_MAX_RANK> origin{}, size = box;
  const int64_t extent = box[split];
  const int64_t begin = extent * part / parts, end = extent * (part + 1) / parts;
  if (begin == end) return;
  origin[split] = begin;
  size[split] = end - begin;
  pack(&desc, from, static_cast<char*>(to) + begin * desc.dst_stride[split], origin.data(), size.data());
}

Copy make_copy(std::vector<CopyAxis> axes, int64_t elem_size) {
  Copy copy;
  copy.desc.elem_size = static_cast<int32_t>(elem_size);
  copy.desc.panel_dim = -1;
  copy.bytes = elem_size;
  for (const CopyAxis& axis : axes) copy.bytes *= axis.extent;

  std::erase_if(axes, [](const CopyAxis& axis) { return axis.extent == 1; });
  // Destination order, outermost first: writes are then sequential.
  std::stable_sort(axes.begin(), axes.end(),
                   [](const CopyAxis& x, const CopyAxis& y) { return x.to > y.to; });
  std::vector<CopyAxis> merged;
  for (const CopyAxis& axis : axes) {
    if (!merged.empty() && merged.back().from == axis.extent * axis.from &&
        merged.back().to == axis.extent * axis.to) {
      merged.back() = {merged.back().extent * axis.extent, axis.from, axis.to};
    } else {
      merged.push_back(axis);
    }
  }
  if (merged.empty()) merged.push_back({1, 1, 1});

  assert(merged.size() <= CORTEX_PACK_MAX_RANK);
  copy.desc.rank = static_cast<int32_t>(merged.size());
  for (std::size_t i = 0; i < merged.size(); ++i) {
    copy.box[i] = copy.desc.shape[i] = merged[i].extent;
    copy.desc.src_stride[i] = merged[i].from * elem_size;
    copy.desc.dst_stride[i] = merged[i].to * elem_size;
  }
  // Long outer axes divide evenly and keep the parts of the destination apart.
  while (copy.split + 1 < copy.desc.rank && copy.box[copy.split] < 64 &&
         copy.box[copy.split] < copy.box[copy.split + 1]) {
    ++copy.split;
  }
  return copy;
}

bool is_identity(const Copy& copy) {
  return copy.desc.rank == 1 && copy.desc.src_stride[0] == copy.desc.dst_stride[0];
}

Copy nchw_to_nhwc(int64_t batch, int64_t channels, int64_t points, int64_t elem_size) {
  const int64_t image = channels * points;
  return make_copy({{batch, image, image}, {points, 1, channels}, {channels, points, 1}}, elem_size);
}

Copy nhwc_to_nchw(int64_t batch, int64_t channels, int64_t points, int64_t elem_size) {
  const int64_t image = channels * points;
  return make_copy({{batch, image, image}, {channels, 1, points}, {points, channels, 1}}, elem_size);
}

const char* weights_layout_name(cortex_weights_layout layout) {
  switch (layout) {
    case CORTEX_WEIGHTS_DEFAULT:
      return "default";
    case CORTEX_WEIGHTS_OIHW:
      return "oihw";
    case CORTEX_WEIGHTS_HWIO:
      return "hwio";
    case CORTEX_WEIGHTS_GHWIO:
      return "ghwio";
    case CORTEX_WEIGHTS_KN:
      return "kn";
    case CORTEX_WEIGHTS_NK:
      return "nk";
  }
  return "?";
}

namespace {

struct NamedAxis {
  const char* name;
  int64_t extent, stride;
};

// Strides on the nest's side by the name of the dimension; dims of extent 1 may be missing there.
Result<Copy> to_tensor(const Tensor& tensor, const std::vector<NamedAxis>& axes) {
  std::vector<CopyAxis> out;
  for (const NamedAxis& axis : axes) {
    if (axis.extent == 1) continue;
    const auto at = std::find(tensor.dim_names.begin(), tensor.dim_names.end(), axis.name);
    if (at == tensor.dim_names.end()) {
      return internal_error(fmt::format("weights {}: the nest has no dimension {}", tensor.name, axis.name));
    }
    const std::size_t i = static_cast<std::size_t>(at - tensor.dim_names.begin());
    if (tensor.shape[i] != axis.extent) {
      return internal_error(fmt::format("weights {}: dimension {} is {} in the nest, {} in the problem",
                                        tensor.name, axis.name, tensor.shape[i], axis.extent));
    }
    out.push_back({axis.extent, axis.stride, tensor.strides[i]});
  }
  return make_copy(std::move(out), size_of(tensor.type));
}

Result<Copy> conv_weights(const ConvProblem& p, const Tensor& b, cortex_weights_layout layout) {
  const int64_t i = p.ic / p.g, o = p.oc / p.g, window = p.kd * p.kh * p.kw;
  // Strides of g, o, i and of one step along kw.
  int64_t g_stride, o_stride, i_stride, w_stride;
  switch (layout) {
    case CORTEX_WEIGHTS_OIHW:
      g_stride = o * i * window, o_stride = i * window, i_stride = window, w_stride = 1;
      break;
    case CORTEX_WEIGHTS_HWIO:
      g_stride = o, o_stride = 1, i_stride = p.oc, w_stride = i * p.oc;
      break;
    case CORTEX_WEIGHTS_GHWIO:
      g_stride = window * i * o, o_stride = 1, i_stride = o, w_stride = i * o;
      break;
    default:
      return invalid_argument(fmt::format("weights layout {} of a convolution: oihw, hwio or ghwio",
                                          weights_layout_name(layout)));
  }
  // Depthwise nests have one dimension for group and channel.
  const bool depthwise = p.g > 1 && i == 1 && o == 1;
  return to_tensor(b, {{depthwise ? "c" : "g", p.g, g_stride},
                       {"kd", p.kd, w_stride * p.kw * p.kh},
                       {"kh", p.kh, w_stride * p.kw},
                       {"kw", p.kw, w_stride},
                       {"ic", i, i_stride},
                       {"oc", o, o_stride}});
}

Result<Copy> matmul_weights(const MatmulProblem& p, int64_t elem_size, cortex_weights_layout layout) {
  if (layout != CORTEX_WEIGHTS_KN && layout != CORTEX_WEIGHTS_NK) {
    return invalid_argument(
        fmt::format("weights layout {} of a matmul: kn or nk", weights_layout_name(layout)));
  }
  int64_t batch = 1;
  for (const int64_t extent : p.batch_b) batch *= extent;
  const bool from_nk = layout == CORTEX_WEIGHTS_NK;
  const auto k_stride = [&](bool nk) { return nk ? 1 : p.n; };
  const auto n_stride = [&](bool nk) { return nk ? p.k : 1; };
  return make_copy({{batch, p.k * p.n, p.k * p.n},
                    {p.k, k_stride(from_nk), k_stride(p.b_transposed)},
                    {p.n, n_stride(from_nk), n_stride(p.b_transposed)}},
                   elem_size);
}

}  // namespace

Result<Copy> weights_to_nest(const Problem& problem, const Nest& lowered, cortex_weights_layout layout) {
  if (problem.is_conv()) return conv_weights(problem.conv(), lowered[Operand::b].tensor, layout);
  return matmul_weights(problem.matmul(), size_of(problem.wei), layout);
}

}  // namespace cortex
