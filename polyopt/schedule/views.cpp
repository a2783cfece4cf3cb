#include "polyopt/schedule/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "polyopt/schedule/ranges.h"
#include "support/checked.h"

namespace cortex {
namespace {

bool mentions(const AffineExpr& e, int dim) {
  return std::any_of(e.terms.begin(), e.terms.end(), [&](const AffineTerm& t) { return t.dim == dim; });
}

int tensor_dim_of(const Access& access, int dim) {
  for (std::size_t j = 0; j < access.subscripts.size(); ++j) {
    if (mentions(access.subscripts[j], dim)) return static_cast<int>(j);
  }
  return -1;
}

// Tensor dims from outermost to innermost in scratch. The panel (or, in a box, the dim the microkernel
// needs adjacent) comes innermost; dims no tile shares (groups, batches) stay outermost.
std::vector<int> scratch_order(const Nest& nest, const Access& access, const Pack& pack,
                               const KernelTile& tile, int inner) {
  std::vector<int> outer, rest;
  for (int j = 0; j < static_cast<int>(access.subscripts.size()); ++j) {
    if (j == inner) continue;
    const auto& terms = access.subscripts[j].terms;
    const bool shared = std::none_of(terms.begin(), terms.end(), [&](const AffineTerm& t) {
      return nest.dims[t.dim].kind == DimKind::parallel && t.dim != tile.m_dim && t.dim != tile.n_dim;
    });
    (pack.form == PackForm::panel && !shared ? outer : rest).push_back(j);
  }
  if (pack.form == PackForm::panel && tile.k_dim >= 0) {
    // k rows of one batch element are adjacent, whatever the source order was.
    const int k = tensor_dim_of(access, tile.k_dim);
    const auto at = std::find(rest.begin(), rest.end(), k);
    if (at != rest.end()) std::rotate(at, at + 1, rest.end());
  }
  outer.insert(outer.end(), rest.begin(), rest.end());
  outer.push_back(inner);
  return outer;
}

}  // namespace

View user_view(const Nest& nest, Operand operand) {
  View view;
  const Access& access = nest[operand];
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
    view.stride[d] = linear_stride(access, d) * size_of(access.tensor.type);
  }
  return view;
}

Result<ProgramPack> plan_pack(const Nest& nest, const Schedule& schedule, const Pack& pack,
                              const KernelInfo& kernel) {
  const Access& access = nest[pack.operand];
  const std::string what = fmt::format("pack({}) at depth {}", operand_name(pack.operand), pack.depth);
  const int rank = static_cast<int>(access.subscripts.size());
  if (rank > CORTEX_PACK_MAX_RANK) {
    return unsupported(fmt::format("{}: the tensor has {} dimensions, the pack routine takes {}", what, rank,
                                   static_cast<int>(CORTEX_PACK_MAX_RANK)));
  }
  const int64_t bytes = size_of(access.tensor.type);
  const KernelTile& tile = schedule.tile;
  const int adjacent_dim = pack.operand == Operand::b && !kernel.dots ? tile.n_dim : tile.k_dim;
  int inner = adjacent_dim >= 0 ? tensor_dim_of(access, adjacent_dim) : -1;
  if (inner < 0) inner = rank - 1;

  ProgramPack out;
  out.operand = pack.operand;
  out.depth = pack.depth;
  out.form = pack.form;
  out.ahead_of_time = pack.ahead_of_time;
  out.desc.rank = rank;
  out.desc.elem_size = static_cast<int32_t>(bytes);
  out.desc.panel_dim = -1;

  std::array<int64_t, CORTEX_PACK_MAX_RANK> box{};
  for (int j = 0; j < rank; ++j) {
    const AffineExpr& e = access.subscripts[j];
    out.desc.shape[j] = access.tensor.shape[j];
    out.desc.src_stride[j] = access.tensor.strides[j] * bytes;
    out.constant[j] = e.constant;
    box[j] = 1;
    for (const AffineTerm& t : e.terms) {
      out.coeff[j][t.dim] = t.coeff;
      box[j] += t.coeff * (max_range(nest, schedule, t.dim, pack.depth) - 1);
    }
  }

  // A single panel is as wide as its columns in whole lines: what would lie beside them is never read.
  constexpr int64_t line = 64;
  const int64_t nr = std::min<int64_t>(kernel.nr, round_up(box[inner], line / bytes));
  int64_t stride = bytes;
  const std::vector<int> order = scratch_order(nest, access, pack, tile, inner);
  for (int i = rank - 1; i >= 0; --i) {
    const int j = order[i];
    const bool panel = pack.form == PackForm::panel && j == inner;
    int64_t extent = box[j];
    if (panel) {
      // The panel's columns are adjacent; its number of panels is accounted for after the reduction dims.
      out.desc.panel_dim = j;
      out.desc.panel_width = static_cast<int32_t>(nr);
      out.desc.dst_stride[j] = bytes;
      stride = nr * bytes;
      continue;
    }
    const bool first_outer =
        pack.form == PackForm::panel && out.desc.panel_stride == 0 &&
        std::any_of(
            access.subscripts[j].terms.begin(), access.subscripts[j].terms.end(), [&](const AffineTerm& t) {
              return nest.dims[t.dim].kind == DimKind::parallel && t.dim != tile.m_dim && t.dim != tile.n_dim;
            });
    if (first_outer) {
      out.desc.panel_stride = stride;
      stride *= ceil_div(box[inner], nr);
    }
    out.desc.dst_stride[j] = stride;
    if (i == rank - 1) extent += pack.pitch_pad;
    const std::optional<int64_t> next = checked_mul(stride, extent);
    if (!next) return overflow_error(what + ": the packed size overflows 64 bits");
    stride = *next;
  }
  if (pack.form == PackForm::panel && out.desc.panel_stride == 0) {
    out.desc.panel_stride = stride;
    const std::optional<int64_t> all = checked_mul(stride, ceil_div(box[inner], nr));
    if (!all) return overflow_error(what + ": the packed size overflows 64 bits");
    stride = *all;
  }
  const std::optional<int64_t> padded = checked_add(stride, 63);
  if (!padded) return overflow_error(what + ": the packed size overflows 64 bits");
  out.bytes = *padded / 64 * 64;
  return out;
}

View packed_view(const Nest& nest, const ProgramPack& pack, int n_dim) {
  View view;
  const Access& access = nest[pack.operand];
  for (std::size_t j = 0; j < access.subscripts.size(); ++j) {
    for (const AffineTerm& t : access.subscripts[j].terms) {
      const bool panel = static_cast<int>(j) == pack.desc.panel_dim && t.dim == n_dim;
      // Column tiles start at multiples of it (check() sees to that), so the panel step is linear in n.
      const int64_t width = pack.desc.panel_width;
      view.stride[t.dim] += panel ? pack.desc.panel_stride / width : t.coeff * pack.desc.dst_stride[j];
    }
  }
  return view;
}

}  // namespace cortex
