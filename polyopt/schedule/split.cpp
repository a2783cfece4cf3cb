#include "polyopt/schedule/split.h"

#include <fmt/format.h>

#include <algorithm>

#include "microkernels/catalogue/catalogue.h"
#include "support/checked.h"

namespace cortex {
namespace {

// The columns: the longest dim along which C and what the epilogue reads per channel lie adjacent.
int columns_of(const Nest& nest) {
  int best = -1;
  for (int d = 0; d < std::ssize(nest.dims); ++d) {
    if (nest.dims[d].kind != DimKind::parallel || linear_stride(nest[Operand::c], d) != 1) continue;
    if (!fits_columns(nest, d)) continue;
    if (best < 0 || nest.dims[d].extent > nest.dims[best].extent) best = d;
  }
  return best;
}

// Of the kernels that take the columns in the fewest tiles the one that is made for the fewest rows.
const KernelInfo* adding_kernel(const Nest& sum, int64_t columns, Isa isa) {
  const KernelInfo* best = nullptr;
  const auto cost = [&](const KernelInfo& k) { return std::pair(ceil_div(columns, k.nr), k.mr); };
  for (const KernelInfo& k : kernel_catalogue()) {
    if (k.op != KernelOp::brgemm || k.isa != isa || k.sums_in_l1 || k.dots || !serves_types(k, sum)) continue;
    if (!best || cost(k) < cost(*best)) best = &k;
  }
  return best;
}

}  // namespace

int split_loop(const Schedule& schedule) {
  const auto at =
      std::find_if(schedule.loops.begin(), schedule.loops.end(), [](const Loop& loop) { return loop.split; });
  return at == schedule.loops.end() ? -1 : static_cast<int>(at - schedule.loops.begin());
}

Result<int64_t> part_bytes(const Nest& nest, int64_t parts) {
  const Tensor& c = nest[Operand::c].tensor;
  int64_t last = 0;  // element; within 64 bits by verify()
  for (std::size_t j = 0; j < c.shape.size(); ++j) last += (c.shape[j] - 1) * c.strides[j];
  const std::optional<int64_t> bytes = checked_mul(last + 1, size_of(c.type));
  if (!bytes || *bytes > INT64_MAX - 64 || !checked_mul(round_up(*bytes, 64), parts)) {
    return overflow_error(fmt::format("schedule of {}: {} parts of C overflow 64 bits", nest.name, parts));
  }
  return round_up(*bytes, 64);
}

Nest sum_nest(const Nest& nest, int64_t parts, int64_t part_bytes) {
  Nest sum;
  sum.name = nest.name;
  sum.epilogue = nest.epilogue;
  sum.b_constant = false;
  std::vector<int> index(nest.dims.size(), -1);
  for (std::size_t d = 0; d < nest.dims.size(); ++d) {
    if (nest.dims[d].kind != DimKind::parallel) continue;
    index[d] = static_cast<int>(sum.dims.size());
    sum.dims.push_back(nest.dims[d]);
  }
  std::string name = "part";
  while (sum.dim_index(name) >= 0) name += '_';
  const int part = static_cast<int>(sum.dims.size());
  sum.dims.push_back({name, parts, DimKind::reduction});

  Access& c = sum[Operand::c];
  c = nest[Operand::c];
  for (AffineExpr& e : c.subscripts) {
    for (AffineTerm& t : e.terms) t.dim = index[t.dim];
  }
  const AffineExpr by_part{{{part, 1}}, 0};
  sum[Operand::a] = {{"ones", DataType::f32, {name}, {parts}, {1}}, {by_part}};
  Access& b = sum[Operand::b];
  b = c;
  b.tensor.name = "sums";
  b.tensor.dim_names.insert(b.tensor.dim_names.begin(), name);
  b.tensor.shape.insert(b.tensor.shape.begin(), parts);
  b.tensor.strides.insert(b.tensor.strides.begin(), part_bytes / size_of(c.tensor.type));
  b.subscripts.insert(b.subscripts.begin(), by_part);
  return sum;
}

Result<Schedule> sum_schedule(const Nest& sum, Isa isa) {
  Schedule schedule;
  const int part = static_cast<int>(sum.dims.size()) - 1, n = columns_of(sum);
  const int64_t columns = n < 0 ? 1 : sum.dims[n].extent;
  const KernelInfo* kernel = adding_kernel(sum, columns, isa);
  if (!kernel) {
    return unsupported(
        fmt::format("schedule of {}: no microkernel of {} adds up f32 parts", sum.name, isa_name(isa)));
  }
  schedule.tile.kernel = std::string(kernel->name);
  schedule.tile.n_dim = n;
  schedule.tile.k_dim = part;
  std::vector<int> rows;
  for (int d = 0; d < part; ++d) {
    if (d != n) rows.push_back(d);
  }
  std::stable_sort(rows.begin(), rows.end(), [&](int x, int y) {
    return linear_stride(sum[Operand::c], x) > linear_stride(sum[Operand::c], y);
  });
  int64_t bytes = size_of(DataType::f32);
  for (const Dim& d : sum.dims) bytes *= d.extent;
  for (const int d : rows) schedule.loops.push_back({d, 1});
  if (columns > kernel->nr) schedule.loops.push_back({n, kernel->nr});
  for (std::size_t i = 0; i < schedule.loops.size() && i < CORTEX_MAX_PARALLEL_LOOPS; ++i) {
    schedule.loops[i].parallel = bytes >= bytes_worth_threads;
  }
  return schedule;
}

}  // namespace cortex
