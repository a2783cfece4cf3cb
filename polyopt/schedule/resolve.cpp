#include <fmt/format.h>

#include <algorithm>

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/program.h"
#include "polyopt/schedule/ranges.h"
#include "polyopt/schedule/split.h"
#include "polyopt/schedule/views.h"
#include "polyopt/schedule/walked_rows.h"
#include "support/checked.h"

namespace cortex {
namespace {

void clear_window(View& view, const Window& window) {
  for (const WindowAxis* axis : {&window.d, &window.h, &window.w}) {
    if (axis->out_dim >= 0) view.stride[axis->out_dim] = 0;
    if (axis->window_dim >= 0) view.stride[axis->window_dim] = 0;
  }
}

Status resolve_bias(Program& p) {
  const Nest& nest = p.nest;
  if (!nest.epilogue.per_channel()) return Status::success();
  if (p.kernel.n_dim >= 0 && !fits_columns(nest, p.kernel.n_dim)) {
    return invalid_argument(
        fmt::format("schedule of {}: role n is {}, along which the bias does not change: it must be "
                    "the channel dim, or left out",
                    nest.name, nest.dims[p.kernel.n_dim].name));
  }
  constexpr int64_t bytes = sizeof(float);
  const BiasDims dims = bias_dims(nest);
  const int64_t group_stride = dims.channel < 0 ? bytes : nest.dims[dims.channel].extent * bytes;
  for (const auto& [dim, stride] : {std::pair{dims.channel, bytes}, std::pair{dims.group, group_stride}}) {
    if (dim < 0 || nest.dims[dim].extent == 1) continue;
    if (dim == p.kernel.n_dim) {
      p.bias_stride = stride;
    } else if (p.bias_dim2 < 0) {
      p.bias_dim2 = dim;
      p.bias_stride2 = stride;
    } else {
      return invalid_argument(
          fmt::format("schedule of {}: bias depends on {} and {}, one of them must have role n", nest.name,
                      nest.dims[p.bias_dim2].name, nest.dims[dim].name));
    }
  }
  return Status::success();
}

// Rows of one column panel that L2 can hold beside what else is there: those a power of two apart share few
// of its sets, up to the bits that its index mixes. Fits caches of 64 KB a way, 16 ways.
int64_t rows_held(int64_t pitch, int64_t row_bytes) {
  constexpr int64_t way = 64 << 10, ways = 12, mixed = 1024;
  const int64_t apart = std::max(std::min(pitch & -pitch, mixed), row_bytes);
  return ways * std::max<int64_t>(way / apart, 1);
}

// The rows of B that a call reads where `loops` are open: those of its elements one after the other.
struct RowsOfB {
  int64_t rows = 0, ld = 0;
  int64_t tap_rows = 0, tap_stride = 0;  // see ProgramPrefetch
  bool ok = false;                       // false: the elements of the batch are not equally far apart
};

RowsOfB rows_of_b(const Program& p, int loops, int64_t ld) {
  const KernelTile& tile = p.schedule.tile;
  RowsOfB b;
  b.rows = b.tap_rows = max_range(p.nest, p.schedule, tile.k_dim, loops);
  b.ld = ld;
  b.ok = true;
  int64_t next = 0;  // where the element after all so far would lie
  for (std::size_t i = tile.batch_dims.size(); i-- > 0;) {
    const int64_t taps = max_range(p.nest, p.schedule, tile.batch_dims[i], loops);
    if (taps == 1) continue;
    const int64_t stride = p.kernel.b_batch_stride[i];
    if (next == 0)
      b.tap_stride = stride;
    else if (stride != next)
      b.ok = false;
    next = taps * stride;
    b.rows *= taps;
  }
  if (b.rows == b.tap_rows || b.tap_stride == b.tap_rows * ld) b.tap_rows = b.tap_stride = 0;
  return b;
}

void resolve_prefetch(Program& p, const KernelInfo& kernel) {
  const KernelTile& tile = p.schedule.tile;
  const auto b = static_cast<std::size_t>(Operand::b);
  if (p.kernel.is_dwconv || tile.k_dim < 0 || tile.n_dim < 0) return;
  // Loops of one tile bind no new range.
  std::vector<int> inside;
  int mover = static_cast<int>(p.loops.size()) - 1;
  for (; mover >= 0; --mover) {
    if (max_trips(p.nest, p.schedule, mover) == 1) continue;
    if (linear_stride(p.nest[Operand::b], p.loops[mover].dim) != 0) break;
    inside.insert(inside.begin(), mover);
  }
  if (mover < 0 || inside.empty()) return;
  const int first = inside.front(), last_dim = p.loops[inside.back()].dim;
  std::vector<int> dims;  // the last loop's at the end
  int64_t visits = 1, units = 1;
  for (const int i : inside) {
    visits *= max_trips(p.nest, p.schedule, i);
    const int dim = p.loops[i].dim;
    if (dim != last_dim && std::find(dims.begin(), dims.end(), dim) == dims.end()) dims.push_back(dim);
  }
  dims.push_back(last_dim);
  std::vector<ProgramPrefetch::Along> along(dims.size());
  for (std::size_t i = dims.size(); i-- > 0;) {
    along[i] = {dims[i], units};
    units *= max_range(p.nest, p.schedule, dims[i], first);
  }

  const View user = user_view(p.nest, Operand::b);
  const Pack* pack = find_pack(p.schedule, Operand::b);
  const bool source = pack && !pack->ahead_of_time && pack->depth > mover && pack->depth <= first;
  if (pack && pack->depth > first) return;
  if (source && (user.stride[tile.n_dim] != static_cast<int64_t>(sizeof(float)) || !tile.batch_dims.empty()))
    return;
  const ProgramLoop& outer = p.loops[mover];
  const int64_t stride = source ? user.stride[outer.dim] : outer.stride[b];
  const RowsOfB next = rows_of_b(p, first, source ? user.stride[tile.k_dim] : p.kernel.ldb);
  const int64_t row_bytes = p.kernel.nr * static_cast<int64_t>(sizeof(float));
  if (stride == 0 || !next.ok || next.rows < units) return;
  const bool panels = next.ld <= row_bytes;
  if (panels && visits < fewest_visits) return;
  if (panels && kernel.walks_rows && byte_size(p.nest[Operand::b].tensor) <= followed_panels) return;
  if (!tile.batch_dims.empty() && next.rows * row_bytes > most_of_window) return;
  p.kernel.prefetch = {mover,
                       std::move(along),
                       ceil_div(next.rows, units),
                       std::min(next.rows, rows_held(next.ld, row_bytes)),
                       outer.step * stride,
                       next.ld,
                       next.tap_rows,
                       next.tap_stride,
                       source};
}

// Where an operand stays in cache (`stays_in_cache`), prefetchers hide the latency better than instructions
// do. AMD EPYC (Zen 5), one core, GFLOP/s without and with: A of 50176x256 times 256x128, 188 and 234; of
// 3136x256 (3 MB), 268 and 267. Tiles of 7x64, k 64, percent of peak: B of 60 MB 36.5 and 49.5, of 4 MB 86.8
// and 81.6; C of 60 MB, A too, 89.9 and 92.6, of 3 MB 93.9 and 92.9.
constexpr int64_t panel_rows_ahead = 32;

bool comes_from_memory(const Access& operand) { return byte_size(operand.tensor) > stays_in_cache; }

void resolve_far_operands(Program& p, const KernelInfo& kernel) {
  const Access& a = p.nest[Operand::a];
  if (p.kernel.is_dwconv || p.kernel.m_dim < 0) return;
  // Only of panels: a row of a wide matrix would cost an address translation each.
  const bool panels = p.kernel.ldb <= p.kernel.nr * static_cast<int64_t>(sizeof(float));
  if (comes_from_memory(p.nest[Operand::b]) && panels && p.kernel.prefetch.rows_per_unit == 0)
    p.kernel.b_ahead = panel_rows_ahead * p.kernel.ldb;
  const Access& c = p.nest[Operand::c];
  const bool read = has_outer_reduction(p) || p.nest.epilogue.residual;
  const int64_t in_line = 64 / size_of(c.tensor.type);
  const bool whole_lines = p.kernel.ldc % 64 == 0 && p.kernel.nr % in_line == 0 && p.kernel.n_dim >= 0 &&
                           p.nest.dims[p.kernel.n_dim].extent % in_line == 0;
  const bool narrow = kernel.lanes <= narrow_lanes;
  int64_t steps = 1;
  for (const Dim& dim : p.nest.dims) {
    if (dim.kind == DimKind::reduction) steps *= dim.extent;
  }
  const bool past = whole_lines && !read && (!narrow || steps < short_sum);
  const int64_t bytes = byte_size(c.tensor);
  p.kernel.c_far = past && bytes > (kernel.walks_rows ? stays_in_cache : past_caches) ? 2
                   : bytes > (narrow ? past_caches : stays_in_cache)                  ? 1
                                                                                      : 0;
  if (byte_size(a.tensor) > followed_a) ask_for_next_a(p);
}

// The rest of `p` is then that of a nest without an epilogue.
Status resolve_split(Program& p, Isa isa) {
  p.split.loop = split_loop(p.schedule);
  if (p.split.loop < 0) return Status::success();
  p.split.parts = max_trips(p.nest, p.schedule, p.split.loop);
  const Result<int64_t> bytes = part_bytes(p.nest, p.split.parts);
  if (!bytes) return bytes.error();
  p.split.bytes = *bytes;
  const Nest nest = sum_nest(p.nest, p.split.parts, *bytes);
  const Result<Schedule> schedule = sum_schedule(nest, f32_isa(isa));
  if (!schedule) return schedule.error();
  Result<Program> sum = resolve(nest, *schedule);
  if (!sum) return sum.error();
  p.split.sum = std::make_shared<const Program>(std::move(*sum));
  p.nest.epilogue = {};
  return Status::success();
}

}  // namespace

Result<Program> resolve(const Nest& nest, const Schedule& schedule) {
  if (Status s = check(schedule, nest); !s) return s.error();
  const KernelInfo* kernel = find_kernel(schedule.tile.kernel);
  const KernelTile& tile = schedule.tile;

  Program p;
  p.nest = nest;
  p.schedule = schedule;
  if (Status s = resolve_split(p, kernel->isa); !s) return s.error();
  p.kernel.name = tile.kernel;
  p.kernel.is_dwconv = kernel->op == KernelOp::dwconv;
  p.kernel.m_dim = tile.m_dim;
  p.kernel.n_dim = tile.n_dim;
  p.kernel.k_dim = tile.k_dim;
  p.kernel.rows_dim = tile.rows_dim;
  p.kernel.batch_dims = tile.batch_dims;
  p.kernel.mr = kernel->mr;
  p.kernel.nr = kernel->nr;

  std::array<View, operand_count> view;
  for (int o = 0; o < operand_count; ++o) {
    const Access& access = nest.access[o];
    view[o] = user_view(nest, static_cast<Operand>(o));
    p.base_offset[o] = linear_constant(access) * size_of(access.tensor.type);
  }
  if (p.kernel.is_dwconv) {
    clear_window(view[0], *depthwise_window(nest));
    p.base_offset[0] = 0;
  }

  std::vector<Pack> packs = schedule.packs;
  std::stable_sort(packs.begin(), packs.end(),
                   [](const Pack& x, const Pack& y) { return x.depth < y.depth; });
  for (const Pack& pack : packs) {
    Result<ProgramPack> planned = plan_pack(nest, schedule, pack, *kernel);
    if (!planned) return planned.error();
    if (planned->ahead_of_time) {
      p.packed_weights_bytes = planned->bytes;
    } else {
      planned->scratch_offset = p.scratch_bytes;
      const std::optional<int64_t> total = checked_add(p.scratch_bytes, planned->bytes);
      if (!total) return overflow_error(fmt::format("schedule of {}: scratch overflows 64 bits", nest.name));
      p.scratch_bytes = *total;
    }
    p.packs.push_back(*planned);
  }

  std::size_t next_pack = 0;
  auto enter = [&](int depth) {
    for (; next_pack < p.packs.size() && p.packs[next_pack].depth == depth; ++next_pack) {
      const ProgramPack& pack = p.packs[next_pack];
      const int o = static_cast<int>(pack.operand);
      view[o] = packed_view(nest, pack, tile.n_dim);
      p.base_offset[o] = 0;  // a pack's box starts at its origin
    }
  };
  const int depth = static_cast<int>(schedule.loops.size());
  for (int i = 0; i < depth; ++i) {
    enter(i);
    const Loop& loop = schedule.loops[i];
    ProgramLoop out{loop.dim, loop.step, loop.balanced, loop.parallel, loop.threads, {}, -1};
    for (int o = 0; o < operand_count; ++o) out.stride[o] = view[o].stride[loop.dim];
    for (int j = 0; j < i; ++j) {
      if (schedule.loops[j].dim == loop.dim) out.parent = j;
    }
    p.loops.push_back(out);
  }
  enter(depth);

  const auto stride = [&](Operand o, int d) { return d < 0 ? 0 : view[static_cast<int>(o)].stride[d]; };
  p.kernel.lda = stride(Operand::a, tile.m_dim);
  p.kernel.ldb = stride(Operand::b, kernel->dots ? tile.n_dim : tile.k_dim);
  p.kernel.ldc = stride(Operand::c, tile.m_dim);
  p.kernel.a_row_stride = stride(Operand::a, tile.rows_dim);
  p.kernel.c_row_stride = stride(Operand::c, tile.rows_dim);
  for (int d : tile.batch_dims) {
    p.kernel.a_batch_stride.push_back(stride(Operand::a, d));
    p.kernel.b_batch_stride.push_back(stride(Operand::b, d));
  }
  if (!p.kernel.is_dwconv) {
    p.kernel.clips = find_clips(nest, schedule);
    for (ProgramClip& clip : p.kernel.clips) {
      clip.a_stride = stride(Operand::a, clip.dim);
      clip.b_stride = stride(Operand::b, clip.dim);
    }
    p.kernel.row_clip = find_row_clip(nest, schedule);
  }
  if (Status s = resolve_bias(p); !s) return s.error();
  if (!kernel->dots) {  // it walks whole rows of A, which prefetchers follow
    resolve_prefetch(p, *kernel);
    resolve_far_operands(p, *kernel);
  }
  let_kernel_walk_rows(p, *kernel);
  return p;
}

void ask_for_next_a(Program& p) {
  if (p.kernel.is_dwconv || p.kernel.m_dim < 0 || find_kernel(p.kernel.name)->dots) return;
  if (find_pack(p.schedule, Operand::a)) return;
  for (int i = static_cast<int>(p.loops.size()) - 1; i >= 0; --i) {
    const int64_t stride = p.loops[i].stride[static_cast<std::size_t>(Operand::a)];
    if (stride == 0 || max_trips(p.nest, p.schedule, i) <= 1) continue;
    p.kernel.a_ahead = {p.loops[i].dim, stride};
    return;
  }
}

BiasDims bias_dims(const Nest& nest) {
  if (nest.name == "matmul") return {nest.dim_index("n"), -1};
  return {std::max(nest.dim_index("oc"), nest.dim_index("c")), nest.dim_index("g")};
}

bool fits_columns(const Nest& nest, int dim) {
  if (!nest.epilogue.per_channel() || nest.dims[dim].extent == 1) return true;
  const BiasDims dims = bias_dims(nest);
  const bool has_channels = dims.channel >= 0 && nest.dims[dims.channel].extent > 1;
  return dim == (has_channels ? dims.channel : dims.group);
}

bool serves_types(const KernelInfo& kernel, const Nest& nest) {
  const DataType a = nest[Operand::a].tensor.type, b = nest[Operand::b].tensor.type;
  if (kernel.a != dtype_name(element_of(a)) || kernel.b != dtype_name(element_of(b)) ||
      kernel.c != dtype_name(sum_type(a)) || kernel.kr != length_of(a)) {
    return false;
  }
  return kernel.a != "f32" || holds_sums(nest);
}

bool has_outer_reduction(const Program& program) {
  return std::any_of(program.loops.begin(), program.loops.end(), [&](const ProgramLoop& loop) {
    return program.nest.dims[loop.dim].kind == DimKind::reduction;
  });
}

}  // namespace cortex
