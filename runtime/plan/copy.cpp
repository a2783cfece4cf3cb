#include "runtime/plan/copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "graph/lower/lower.h"
#include "support/checked.h"

namespace cortex {
namespace {

// Rows of fewer than Word's bytes, each to one Word whose rest is zero. Reads a whole Word where the next row
// lies behind it.
template <typename Word>
void fill_up(const char* from, char* to, int64_t rows, int64_t row_bytes, int64_t from_pitch) {
  const Word kept = (Word{1} << (8 * row_bytes)) - 1;
  const int64_t close = (static_cast<int64_t>(sizeof(Word)) + from_pitch - 1) / from_pitch;  // to the end
  int64_t i = 0;
  for (; i + close < rows; ++i, from += from_pitch, to += sizeof(Word)) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    word &= kept;
    std::memcpy(to, &word, sizeof word);
  }
  for (; i < rows; ++i, from += from_pitch, to += sizeof(Word)) {
    Word word = 0;
    std::memcpy(&word, from, static_cast<std::size_t>(row_bytes));
    std::memcpy(to, &word, sizeof word);
  }
}

// A few channels filled up to a unit: the general routine would spend its time row by row.
bool is_fill_up(const Copy& copy, int64_t& word) {
  const cortex_pack_desc& d = copy.desc;
  word = copy.box[1] * d.elem_size;
  return d.rank == 2 && copy.split == 0 && (word == 4 || word == 8) && d.shape[1] < copy.box[1] &&
         copy.origin[1] == 0 && d.shape[0] == copy.box[0] && d.src_stride[1] == d.elem_size &&
         d.dst_stride[1] == d.elem_size && d.dst_stride[0] == word &&
         d.src_stride[0] >= d.shape[1] * d.elem_size;
}

}  // namespace

void Copy::run(cortex_pack_fn pack, const void* from, void* to, int part, int parts) const {
  std::array<int64_t, CORTEX_PACK_MAX_RANK> from_index = origin, size = box;
  const int64_t extent = box[split];
  const int64_t begin = extent * part / parts, end = extent * (part + 1) / parts;
  if (begin == end) return;
  if (int64_t word = 0; is_fill_up(*this, word)) {
    const char* rows = static_cast<const char*>(from) + from_offset + begin * desc.src_stride[0];
    char* filled = static_cast<char*>(to) + to_offset + begin * word;
    const int64_t row_bytes = desc.shape[1] * desc.elem_size;
    return word == 4 ? fill_up<uint32_t>(rows, filled, end - begin, row_bytes, desc.src_stride[0])
                     : fill_up<uint64_t>(rows, filled, end - begin, row_bytes, desc.src_stride[0]);
  }
  from_index[split] += begin;
  size[split] = end - begin;
  pack(&desc, static_cast<const char*>(from) + from_offset,
       static_cast<char*>(to) + to_offset + begin * desc.dst_stride[split], from_index.data(), size.data());
}

Copy make_copy(std::vector<CopyAxis> axes, int64_t elem_size) {
  Copy copy;
  copy.desc.elem_size = static_cast<int32_t>(elem_size);
  copy.desc.panel_dim = -1;
  copy.bytes = elem_size;
  for (const CopyAxis& axis : axes) copy.bytes *= axis.extent;

  for (CopyAxis& axis : axes) {
    if (axis.inside == axis.extent && axis.before == 0) axis.inside = -1;
  }
  std::erase_if(axes, [](const CopyAxis& axis) { return axis.extent == 1 && axis.inside < 0; });
  // Destination order, outermost first: writes are then sequential.
  std::stable_sort(axes.begin(), axes.end(),
                   [](const CopyAxis& x, const CopyAxis& y) { return x.to > y.to; });
  std::vector<CopyAxis> merged;
  for (const CopyAxis& axis : axes) {
    const bool whole = axis.inside < 0 && (merged.empty() || merged.back().inside < 0);
    if (whole && !merged.empty() && merged.back().from == axis.extent * axis.from &&
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
    copy.box[i] = merged[i].extent;
    copy.desc.shape[i] = merged[i].inside < 0 ? merged[i].extent : merged[i].inside;
    copy.origin[i] = -merged[i].before;
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
  return copy.desc.rank == 1 && copy.desc.shape[0] == copy.box[0] &&
         copy.desc.src_stride[0] == copy.desc.dst_stride[0];
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

Copies unless_identity(const Copy& copy) { return is_identity(copy) ? Copies{} : Copies{copy}; }

// Elements of `reduction` side by side in units, the last one filled up with zeros: the whole units, then the
// rest. `others` have the destination's strides in elements.
Copies in_units(const std::vector<CopyAxis>& others, const CopyAxis& reduction, int64_t length,
                int64_t elem) {
  Copies copies;
  const int64_t whole = reduction.extent / length, rest = reduction.extent % length;
  const auto add = [&](int64_t units, int64_t inside, int64_t first) {
    if (units == 0 || inside == 0) return;
    std::vector<CopyAxis> axes = others;
    axes.push_back({units, reduction.from * length, reduction.to});
    axes.push_back({length, reduction.from, 1, inside == length ? -1 : inside});
    copies.push_back(make_copy(std::move(axes), elem));
    copies.back().from_offset = first * length * reduction.from * elem;
    copies.back().to_offset = first * reduction.to * elem;
  };
  add(whole, length, 0);
  add(1, rest, whole);
  return copies;
}

// Weights of rows in units: element by element, since taps do not begin with a unit, and a zero where none
// stands.
// kw, ic: strides of the source alone.
Copies in_rows(const RowsInUnits& rows, const Tensor& tensor, const CopyAxis& kw, const CopyAxis& ic,
               const std::vector<CopyAxis>& others) {
  const int64_t length = length_of(tensor.type), elem = size_of(element_of(tensor.type));
  const auto dim = std::find(tensor.dim_names.begin(), tensor.dim_names.end(), "kw");
  const int64_t unit =
      dim == tensor.dim_names.end()
          ? 0
          : tensor.strides[static_cast<std::size_t>(dim - tensor.dim_names.begin())] * length;
  Copies copies;
  for (int64_t at = 0; at < rows.conv.kw * length; ++at) {
    const int64_t element = at - rows.front;
    const bool exists = element >= 0 && element < kw.extent * ic.extent;
    std::vector<CopyAxis> axes = others;
    if (!exists) axes.push_back({1, 1, 1, 1, 1});  // the element before the first: zero
    copies.push_back(make_copy(std::move(axes), elem));
    if (exists)
      copies.back().from_offset = (element / ic.extent * kw.from + element % ic.extent * ic.from) * elem;
    copies.back().to_offset = (at / length * unit + at % length) * elem;
  }
  return copies;
}

// Strides on the nest's side by the name of the dimension; dims of extent 1 may be missing there.
Result<Copies> to_tensor(const Tensor& tensor, const std::vector<NamedAxis>& axes,
                         const std::optional<RowsInUnits>& rows) {
  std::vector<CopyAxis> out;
  const int64_t length = length_of(tensor.type), elem = size_of(element_of(tensor.type));
  CopyAxis reduction{1, 1, length}, taps{1, 1, 0};
  for (const NamedAxis& axis : axes) {
    const bool in_units_here = length > 1 && std::string_view(axis.name) == "ic";
    if (in_units_here) {
      const auto dim = std::find(tensor.dim_names.begin(), tensor.dim_names.end(), axis.name);
      const auto i = static_cast<std::size_t>(dim - tensor.dim_names.begin());
      reduction = {axis.extent, axis.stride,
                   dim == tensor.dim_names.end() ? length : tensor.strides[i] * length};
    }
    const bool in_rows_here = rows && std::string_view(axis.name) == "kw";
    if (in_rows_here) taps = {axis.extent, axis.stride, 0};
    if (in_units_here || in_rows_here || axis.extent == 1) continue;
    const auto at = std::find(tensor.dim_names.begin(), tensor.dim_names.end(), axis.name);
    if (at == tensor.dim_names.end()) {
      return internal_error(fmt::format("weights {}: the nest has no dimension {}", tensor.name, axis.name));
    }
    const std::size_t i = static_cast<std::size_t>(at - tensor.dim_names.begin());
    if (tensor.shape[i] != axis.extent) {
      return internal_error(fmt::format("weights {}: dimension {} is {} in the nest, {} in the problem",
                                        tensor.name, axis.name, tensor.shape[i], axis.extent));
    }
    out.push_back({axis.extent, axis.stride, tensor.strides[i] * length});
  }
  if (rows) return in_rows(*rows, tensor, taps, reduction, out);
  if (length > 1) return in_units(out, reduction, length, elem);
  return unless_identity(make_copy(std::move(out), elem));
}

Result<Copies> conv_weights(const Problem& problem, const Tensor& b, cortex_weights_layout layout) {
  const ConvProblem& p = problem.conv();
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
  return to_tensor(b,
                   {{depthwise ? "c" : "g", p.g, g_stride},
                    {"kd", p.kd, w_stride * p.kw * p.kh},
                    {"kh", p.kh, w_stride * p.kw},
                    {"kw", p.kw, w_stride},
                    {"ic", i, i_stride},
                    {"oc", o, o_stride}},
                   rows_in_units(problem));
}

Result<Copies> matmul_weights(const Problem& problem, cortex_weights_layout layout) {
  const MatmulProblem& p = problem.matmul();
  const int64_t elem_size = size_of(problem.wei), length = unit_length(problem.wei);
  if (layout != CORTEX_WEIGHTS_KN && layout != CORTEX_WEIGHTS_NK) {
    return invalid_argument(
        fmt::format("weights layout {} of a matmul: kn or nk", weights_layout_name(layout)));
  }
  int64_t batch = 1;
  for (const int64_t extent : p.batch_b) batch *= extent;
  const bool from_nk = layout == CORTEX_WEIGHTS_NK;
  const auto k_stride = [&](bool nk) { return nk ? 1 : p.n; };
  const auto n_stride = [&](bool nk) { return nk ? p.k : 1; };
  if (length > 1 && !b_in_units(problem)) {
    const int64_t matrix = ceil_div(p.k, length) * length * p.n;
    return in_units({{batch, p.k * p.n, matrix}, {p.n, n_stride(from_nk), length}},
                    {p.k, k_stride(from_nk), p.n * length}, length, elem_size);
  }
  return unless_identity(make_copy({{batch, p.k * p.n, p.k * p.n},
                                    {p.k, k_stride(from_nk), k_stride(p.b_transposed)},
                                    {p.n, n_stride(from_nk), n_stride(p.b_transposed)}},
                                   elem_size));
}

}  // namespace

Result<Copies> weights_to_nest(const Problem& problem, const Nest& lowered, cortex_weights_layout layout) {
  if (problem.is_conv()) return conv_weights(problem, lowered[Operand::b].tensor, layout);
  return matmul_weights(problem, layout);
}

Copies src_to_units(const Problem& problem, cortex_layout layout) {
  if (a_in_units(problem)) return {};
  const int64_t length = unit_length(problem.src), elem = size_of(problem.src);
  if (problem.is_matmul()) {
    const MatmulProblem& p = problem.matmul();
    int64_t batch = 1;
    for (const int64_t extent : p.batch_a) batch *= extent;
    const int64_t k = round_up(p.k, length);
    return {make_copy({{batch, p.m * p.k, p.m * k},
                       {p.m, p.a_transposed ? 1 : p.k, k},
                       {k, p.a_transposed ? p.m : 1, 1, k == p.k ? -1 : p.k}},
                      elem)};
  }
  const ConvProblem& p = problem.conv();
  const int64_t points = p.id * p.ih * p.iw, channels = p.ic / p.g, filled = round_up(channels, length);
  const bool planes = layout == CORTEX_LAYOUT_NCHW;
  const int64_t channel = planes ? points : 1, point = planes ? 1 : p.ic;
  if (a_is_copied(problem)) {
    const ConvProblem q = with_halo(p);
    const int64_t to = p.g * filled;
    const auto axis = [](int64_t inside, int64_t extent, int64_t before, int64_t from, int64_t stride) {
      return CopyAxis{extent, from, stride, inside, before};
    };
    return {make_copy({{p.mb, p.ic * points, q.id * q.ih * q.iw * to},
                       axis(p.id, q.id, p.pd, p.ih * p.iw * point, q.ih * q.iw * to),
                       axis(p.ih, q.ih, p.ph, p.iw * point, q.iw * to),
                       axis(p.iw, q.iw, p.pw, point, to),
                       {p.g, channels * channel, filled},
                       axis(channels, filled, 0, channel, 1)},
                      elem)};
  }
  return {make_copy({{p.mb, p.ic * points, p.g * filled * points},
                     {points, point, p.g * filled},
                     {p.g, channels * channel, filled},
                     {filled, channel, 1, channels}},
                    elem)};
}

}  // namespace cortex
