#include "runtime/testing/random_schedule.h"

#include <algorithm>

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/schedule/program.h"

namespace cortex::testing {
namespace {

const KernelInfo& random_kernel(const Nest& nest, Isa isa, Random& random) {
  std::vector<const KernelInfo*> usable;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (runs(isa, kernel.isa) && serves_types(kernel, nest)) usable.push_back(&kernel);
  }
  return *usable[static_cast<std::size_t>(pick(random, 0, static_cast<int64_t>(usable.size()) - 1))];
}

int random_dim(const std::vector<int>& from, Random& random) {
  if (from.empty()) return -1;
  return from[static_cast<std::size_t>(pick(random, 0, static_cast<int64_t>(from.size()) - 1))];
}

KernelTile random_roles(const Nest& nest, const KernelInfo& kernel, Random& random) {
  KernelTile tile;
  tile.kernel = kernel.name;
  const bool window = kernel.op == KernelOp::dwconv;
  std::vector<int> m, n, reductions;
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
    if (nest.dims[static_cast<std::size_t>(d)].kind == DimKind::reduction) {
      reductions.push_back(d);
      continue;
    }
    const bool adjacent_c = linear_stride(nest[Operand::c], d) == 1;
    if (adjacent_c && (window || linear_stride(nest[Operand::a], d) == 0)) n.push_back(d);
    if (linear_stride(nest[Operand::b], d) == 0) m.push_back(d);
  }
  tile.n_dim = random_dim(n, random);
  std::erase(m, tile.n_dim);
  tile.m_dim = pick(random, 0, 9) ? random_dim(m, random) : -1;
  if (window) {
    std::erase(m, tile.m_dim);
    tile.rows_dim = pick(random, 0, 3) ? random_dim(m, random) : -1;
  }
  std::shuffle(reductions.begin(), reductions.end(), random);
  if (!window && !reductions.empty() && pick(random, 0, 9)) {
    tile.k_dim = reductions.back();
    reductions.pop_back();
  }
  for (const int d : reductions) {
    if (window || pick(random, 0, 2)) tile.batch_dims.push_back(d);
  }
  return tile;
}

// Puts a split of some reduction among the parallel loops.
void split_reduction(const Nest& nest, std::vector<Loop>& loops, Random& random) {
  std::vector<int> reductions;
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
    const Dim& dim = nest.dims[static_cast<std::size_t>(d)];
    if (dim.kind == DimKind::reduction && dim.extent > 1) reductions.push_back(d);
  }
  if (reductions.empty()) return;
  const int d = random_dim(reductions, random);
  const int64_t extent = nest.dims[static_cast<std::size_t>(d)].extent;
  int64_t step = pick(random, 1, extent - 1);
  for (const Loop& loop : loops) {
    if (loop.dim == d) step = std::max(step, std::min(loop.step, extent - 1));
  }
  const auto parallel =
      std::find_if(loops.begin(), loops.end(), [](const Loop& loop) { return !loop.parallel; }) -
      loops.begin();
  Loop split{d, step, pick(random, 0, 1) == 0, static_cast<int>(pick(random, 1, 3)), true};
  split.split = true;
  loops.insert(loops.begin() + pick(random, 0, parallel), split);
}

Schedule random_candidate(const Nest& nest, Isa isa, bool ahead, Random& random) {
  Schedule s;
  const KernelInfo& kernel = random_kernel(nest, isa, random);
  s.tile = random_roles(nest, kernel, random);
  std::vector<Loop> loops;
  for (int d = 0; d < static_cast<int>(nest.dims.size()); ++d) {
    const int64_t extent = nest.dims[static_cast<std::size_t>(d)].extent;
    int64_t inner = 1;  // longest range the kernel takes
    const bool batch = std::count(s.tile.batch_dims.begin(), s.tile.batch_dims.end(), d) > 0;
    if (d == s.tile.k_dim || batch) inner = extent;
    if (d == s.tile.m_dim) inner = kernel.op == KernelOp::dwconv ? extent : kernel.mr;
    if (d == s.tile.rows_dim) inner = extent;
    if (d == s.tile.n_dim) inner = kernel.op == KernelOp::dwconv ? extent : kernel.nr;
    int64_t range = extent;
    for (int64_t level = pick(random, 0, 2); level > 0; --level) {
      int64_t step = pick(random, 1, std::max<int64_t>(1, extent));
      if (d == s.tile.n_dim && pick(random, 0, 3)) step = (step + kernel.nr - 1) / kernel.nr * kernel.nr;
      loops.push_back({d, step, pick(random, 0, 3) == 0});
      range = std::min(range, step);
    }
    if (range > inner) {
      const int64_t step = d == s.tile.n_dim || pick(random, 0, 1) ? inner : pick(random, 1, inner);
      loops.push_back({d, step, pick(random, 0, 3) == 0});
    }
  }
  std::shuffle(loops.begin(), loops.end(), random);
  // Steps of one dim must not grow inwards, or the kernel's own limit could be lost.
  for (std::size_t i = 0; i < loops.size(); ++i) {
    for (std::size_t j = i + 1; j < loops.size(); ++j) {
      if (loops[i].dim == loops[j].dim && loops[i].step < loops[j].step) std::swap(loops[i], loops[j]);
    }
  }
  if (pick(random, 0, 1)) {
    for (Loop& loop : loops) {
      if (nest.dims[static_cast<std::size_t>(loop.dim)].kind == DimKind::reduction) break;
      loop.parallel = true;
      if (pick(random, 0, 3) == 0) break;
    }
  }
  if (pick(random, 0, 2) == 0) split_reduction(nest, loops, random);
  s.loops = loops;
  const int64_t depth = static_cast<int64_t>(loops.size());
  if (kernel.op == KernelOp::brgemm) {
    // Without the pack only windows whose padded taps are skipped pass the check.
    if (pick(random, 0, 4) && (nest[Operand::a].padded || pick(random, 0, 1))) {
      s.packs.push_back(
          {Operand::a, static_cast<int>(pick(random, 0, depth)), PackForm::box, pick(random, 0, 2) * 8});
    }
    if (pick(random, 0, 3)) {
      Pack pack{Operand::b, static_cast<int>(pick(random, 0, depth)),
                s.tile.n_dim >= 0 && pick(random, 0, 3) ? PackForm::panel : PackForm::box};
      if (ahead && nest.b_constant && pick(random, 0, 1)) {
        pack.depth = 0;
        pack.ahead_of_time = true;
      }
      s.packs.push_back(pack);
    }
  }
  return s;
}

}  // namespace

std::optional<Schedule> random_schedule(const Nest& coalesced, Isa isa, bool ahead, Random& random) {
  for (int attempt = 0; attempt < 300; ++attempt) {
    Schedule s = random_candidate(coalesced, isa, ahead, random);
    if (resolve(coalesced, s).ok()) return s;
  }
  return std::nullopt;
}

}  // namespace cortex::testing
