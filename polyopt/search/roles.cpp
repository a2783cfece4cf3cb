#include "polyopt/search/roles.h"

#include <fmt/format.h>

#include <algorithm>

#include "polyopt/model/compute.h"
#include "polyopt/model/plan.h"
#include "polyopt/schedule/program.h"

namespace cortex {
namespace {

bool indexes_alone(const Access& access, int dim) {
  for (const AffineExpr& e : access.subscripts) {
    for (const AffineTerm& t : e.terms) {
      if (t.dim == dim && (t.coeff != 1 || e.terms.size() != 1 || e.constant != 0)) return false;
    }
  }
  return true;
}

bool steps_by_one(const Access& access, int dim) {
  for (const AffineExpr& e : access.subscripts) {
    for (const AffineTerm& t : e.terms) {
      if (t.dim == dim && t.coeff != 1) return false;
    }
  }
  return true;
}

int largest(const NestFacts& facts, const std::vector<int>& dims) {
  int best = -1;
  for (int d : dims) {
    if (best < 0 || facts.extent[d] > facts.extent[best]) best = d;
  }
  return best;
}

Roles depthwise_roles(const NestFacts& facts, const Nest& nest, const Window& window) {
  Roles roles;
  roles.depthwise = true;
  roles.m = window.w.out_dim;
  roles.rows = window.h.out_dim;
  for (int d = 0; d < facts.dims; ++d) {
    if (facts.is_reduction(d))
      roles.batch |= 1u << d;
    else if (linear_stride(nest[Operand::c], d) == 1 && linear_stride(nest[Operand::b], d) == 1)
      roles.n = d;
    else if (d != roles.m && d != roles.rows)
      roles.images.push_back(d);
  }
  return roles;
}

// What the microkernel can leave out of the taps that fall in padding, and whether A may stay where it is:
// asked of the schedule that walks every other dim in single steps, as all plans in these roles do.
void leave_out_padding(const Nest& nest, const NestFacts& facts, Roles& roles) {
  Schedule schedule;
  schedule.tile = {"", roles.m, roles.n, roles.k, roles.rows, batch_order(facts, roles.batch)};
  for (const auto* dims : {&roles.common, &roles.images, &roles.columns}) {
    for (int d : *dims) schedule.loops.push_back({d});
  }
  roles.a_must_pack = roles.a_must_pack || unclipped_dimension(nest, schedule) >= 0;
  roles.work = clipped_work(nest, schedule);
  roles.edge_share = row_edge_share(nest, schedule);
}

void sort_by_stride(std::vector<int>& dims, const Access& access) {
  std::stable_sort(dims.begin(), dims.end(),
                   [&](int x, int y) { return linear_stride(access, x) > linear_stride(access, y); });
}

// Rows too short for a tile register's: several of them as bands, side by side in registers of their own.
void add_bands(const NestFacts& facts, const Nest& nest, std::vector<Roles>& all) {
  if (unit_length(element_of(nest[Operand::a].tensor.type)) == 1) return;
  for (std::size_t i = 0, count = all.size(); i < count; ++i) {
    if (all[i].m < 0 || facts.extent[all[i].m] > tile_rows || all[i].images.empty()) continue;
    Roles bands = all[i];
    bands.rows = bands.images.back();
    bands.images.pop_back();
    all.push_back(bands);
  }
}

}  // namespace

Result<std::vector<Roles>> assign_roles(const Nest& nest, const NestFacts& facts) {
  const Access& a = nest[Operand::a];
  const Access& b = nest[Operand::b];
  const Access& c = nest[Operand::c];
  if (const std::optional<Window> window = depthwise_window(nest)) {
    return std::vector<Roles>{depthwise_roles(facts, nest, *window)};
  }
  if (b.padded)
    return unsupported(fmt::format("scheduling {}: B is read outside its bounds; only A may be", nest.name));

  Roles base;
  std::vector<int> n_candidates, k_adjacent, k_strided, rows;
  for (int d = 0; d < facts.dims; ++d) {
    const bool in_a = facts[Operand::a].depends_on(d), in_b = facts[Operand::b].depends_on(d);
    if (facts.is_reduction(d)) {
      base.batch |= 1u << d;
      if (linear_stride(a, d) == 1)
        k_adjacent.push_back(d);
      else if (in_a && steps_by_one(a, d))
        k_strided.push_back(d);
    } else if (in_a && in_b) {
      base.common.push_back(d);
    } else if (in_b) {
      base.columns.push_back(d);
      if (linear_stride(c, d) == 1 && steps_by_one(b, d) && fits_columns(nest, d)) n_candidates.push_back(d);
    } else {
      base.images.push_back(d);
      rows.push_back(d);
    }
  }
  base.n = largest(facts, n_candidates);
  std::erase(base.columns, base.n);
  base.k = largest(facts, k_adjacent.empty() ? k_strided : k_adjacent);
  if (base.k >= 0) base.batch &= ~(1u << base.k);
  base.a_must_pack = base.k >= 0 && k_adjacent.empty();
  base.b_direct = base.n < 0 || linear_stride(b, base.n) == 1;
  base.b_along_k = base.k >= 0 && linear_stride(b, base.k) == 1;
  base.b_panels = base.n >= 0 && indexes_alone(b, base.n);
  if (!base.b_direct && !base.b_panels) {
    return unsupported(
        fmt::format("scheduling {}: columns of B ({}) are neither adjacent nor indexed by that dim alone",
                    nest.name, nest.dims[base.n].name));
  }
  sort_by_stride(base.common, a);
  sort_by_stride(base.images, a);
  sort_by_stride(base.columns, b);

  std::vector<Roles> all;
  // Long rows give full register tiles; among equals the one that moves least in A.
  std::stable_sort(rows.begin(), rows.end(), [&](int x, int y) {
    if (facts.extent[x] != facts.extent[y]) return facts.extent[x] > facts.extent[y];
    return linear_stride(a, x) < linear_stride(a, y);
  });
  for (std::size_t i = 0; i < rows.size() && i < 3; ++i) {
    Roles roles = base;
    roles.m = rows[i];
    std::erase(roles.images, roles.m);
    all.push_back(roles);
  }
  if (all.empty()) all.push_back(base);
  add_bands(facts, nest, all);
  if (a.padded) {
    for (Roles& roles : all) leave_out_padding(nest, facts, roles);
  }
  return all;
}

// Kernels of dot products are for few columns, which tiles would fill in part, and for columns that lie
// adjacent along k as they are.
static bool dots_may_pay(const Nest& nest, const Roles& roles, int lanes) {
  if (roles.k < 0 || roles.batch != 0) return false;
  return roles.n < 0 || nest.dims[roles.n].extent < lanes || (roles.b_along_k && !roles.b_direct);
}

// Rows that lie further apart in A than those of another dim with about as many: each would take a page.
static bool scattered(const Nest& nest, const Roles& roles) {
  if (roles.m < 0) return false;
  const auto closer = [&](int d) {
    return linear_stride(nest[Operand::a], d) < linear_stride(nest[Operand::a], roles.m) &&
           2 * nest.dims[d].extent >= std::min<int64_t>(nest.dims[roles.m].extent, tile_rows);
  };
  return std::any_of(roles.images.begin(), roles.images.end(), closer) ||
         (roles.rows >= 0 && closer(roles.rows));
}

// Whether widening pairs of bf16 and multiplying them as f32 takes less time than vdpbf16ps.
static bool pairs_are_slow(const Machine& machine) {
  return machine.bf16_dots_per_cycle * widened_pair < machine.fma_per_cycle;
}

std::vector<const KernelInfo*> usable_kernels(const Nest& nest, const Roles& roles, const Machine& machine) {
  const KernelOp op = roles.depthwise ? KernelOp::dwconv : KernelOp::brgemm;
  std::vector<const KernelInfo*> found, tiles;
  Isa best = Isa::baseline;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (kernel.op != op || !runs(machine.isa, kernel.isa)) continue;
    if (!serves_types(kernel, nest)) continue;
    if (roles.rows >= 0 && !roles.depthwise && (!kernel.tiles || kernel.mr < 2 * tile_rows)) continue;
    if (kernel.tiles && scattered(nest, roles)) continue;
    if (op == KernelOp::brgemm && kernel.isa == Isa::avx512bf16 && pairs_are_slow(machine)) continue;
    // Whole rows are walked where they lie.
    if (kernel.sums_in_l1 && (!roles.b_direct || roles.n < 0)) continue;
    if (kernel.dots && !dots_may_pay(nest, roles, kernel.lanes)) continue;
    // Tile registers want many units at once; for few, the vectors of the level below remain.
    if (kernel.tiles) {
      tiles.push_back(&kernel);
      continue;
    }
    if (kernel.isa > best) {
      best = kernel.isa;
      found.clear();
    }
    if (kernel.isa == best) found.push_back(&kernel);
  }
  found.insert(found.end(), tiles.begin(), tiles.end());
  return found;
}

}  // namespace cortex
