#include "polyopt/search/enumerate.h"

#include <algorithm>
#include <limits>

#include "polyopt/model/compute.h"
#include "polyopt/search/grids.h"
#include "polyopt/search/orders.h"
#include "polyopt/search/parts.h"
#include "polyopt/search/tiles.h"
#include "support/checked.h"

namespace cortex {
namespace {

// One way to cut a dim: a chain, and how many of its levels are block loops.
struct Cut {
  const Chain* chain = nullptr;
  int blocks = 0;
  bool split = false;  // the first level divides the reduction among threads
  int dim = -1;        // what is cut, of the reduction: k or a window's rows
};

constexpr int64_t chunk_unit = 16;   // a cache line of f32
constexpr int64_t chunk_least = 96;  // shorter reductions per call lose more to C than they save

struct Enumerator {
  SearchSpace& space;
  const Roles& roles;
  const KernelInfo& kernel;
  std::size_t sizes;

  int slab = -1;               // the image dim that is cut in slabs
  std::vector<int> images{};   // the others
  int innermost_copy = 0;      // deepest depth where copies stand
  bool alone_may_win = false;  // the problem is so small that one thread may beat several
  LoopPlan base{};
  BestPlans local{6};  // what refine() starts from

  int64_t extent(int d) const { return static_cast<int64_t>(space.nest().extent[d]); }

  std::vector<Cut> cuts(int d, int64_t tile, bool balanced, const std::vector<int64_t>& blocks) {
    std::vector<Cut> all;
    if (d < 0) return {Cut{}};
    all.push_back({space.keep(tiled(extent(d), 0, tile, balanced)), 0});
    for (int64_t block : blocks) all.push_back({space.keep(tiled(extent(d), block, tile, balanced)), 1});
    return all;
  }

  void add_splits(int d, std::vector<Cut>& all) {
    if (d < 0) return;
    for (const int parts : part_counts(space.nest(), extent(d), space.options.threads, chunk_least)) {
      const int64_t part = round_up(ceil_div(extent(d), int64_t{parts}), chunk_unit);
      if (ceil_div(extent(d), part) != parts) continue;
      all.push_back({space.keep(parted(extent(d), part, 0)), 0, true});
      for (int64_t block : block_sizes(part, chunk_unit, chunk_least, sizes))
        all.push_back({space.keep(parted(extent(d), part, block)), 1, true});
    }
  }

  // Ways to cut the reduction: along k, or a window in its rows, whose weights lie together where panels of
  // k's chunks would not.
  std::vector<Cut> reduction_cuts() {
    std::vector<int64_t> blocks;
    const bool brgemm = kernel.op == KernelOp::brgemm;
    const bool adds_up = brgemm && space.nest().c_holds_sums;
    if (adds_up && roles.k >= 0) blocks = block_sizes(extent(roles.k), chunk_unit, chunk_least, sizes);
    std::vector<Cut> all = cuts(roles.k, 0, false, blocks);
    if (brgemm) add_splits(roles.k, all);
    for (Cut& cut : all) cut.dim = roles.k;
    const std::vector<int> window = batch_order(space.nest(), roles.batch);
    if (adds_up && roles.k >= 0 && !window.empty() && extent(window[0]) > 1)
      all.push_back({space.keep(tiled(extent(window[0]), 0, 1, false)), 1, false, window[0]});
    return all;
  }

  // Dims whose loops never vary: one iteration at a time.
  void fix_single_steps() {
    for (int d = 0; d < space.nest().dims; ++d) base.chain[d] = space.keep(whole(extent(d)));
    const auto single = [&](int d) { base.chain[d] = space.keep(tiled(extent(d), 0, 1, false)); };
    for (int d : roles.common) single(d);
    for (int d : roles.columns) single(d);
    for (int d : roles.images) single(d);
  }

  void set_up() {
    base.kernel = &kernel;
    base.m_dim = roles.m;
    base.n_dim = roles.n;
    base.k_dim = roles.k;
    base.rows_dim = roles.rows;
    base.batch = roles.batch;
    base.b_panel = !kernel.dots;
    base.work = roles.work;
    base.edge_share = roles.edge_share;
    images = roles.images;
    if (roles.depthwise || roles.rows >= 0) {
      slab = roles.rows;
    } else if (!images.empty()) {
      slab = images.back();
      images.pop_back();
    }
    fix_single_steps();
    alone_may_win = space.nest().points / kernel.units_per_cycle(space.model.machine().fma_per_cycle) <
                    4 * space.model.machine().costs.barrier;
  }

  // --- one plan -----------------------------------------------------------------------------------

  void push_tile_loops(LoopPlan& plan, int d, int from) const {
    if (d < 0) return;
    for (int level = from; level < plan.chain[d]->levels; ++level) plan.push(d, level);
  }

  double offer(const LoopPlan& plan) {
    ++space.scored;
    const double cycles = space.model.score(plan);
    space.best.offer(cycles, plan);
    return cycles;
  }

  // Cycles with the best of the thread grids tried.
  double score_plan(LoopPlan& plan) {
    double best = 1e300;
    const auto take = [&](const LoopPlan& p) {
      if (p.loops > 0 && p.loop[0].split && p.loop[0].threads == 1) return;  // parts for nothing
      const double cycles = offer(p);
      local.offer(cycles, p);
      best = std::min(best, cycles);
    };
    mark_parallel(plan, space.nest(), space.options.threads);
    for_each_grid(plan, space.options.threads, 2, take);
    const bool split = plan.loops > 0 && plan.loop[0].split;
    if (space.options.threads == 1 || split || !alone_may_win) return best;
    // No loop marked parallel: one thread runs it all, and none need be woken.
    for (int i = 0; i < plan.loops; ++i) {
      plan.loop[i].parallel = false;
      plan.loop[i].threads = 1;
    }
    take(plan);
    return best;
  }

  // Depths where a copy of `operand` may stand: inside a loop that changes it (further in than needed only
  // repeats the copy), or before all loops; not inside the register tile loops.
  template <typename Use>
  void for_each_depth(const LoopPlan& plan, Operand operand, Use&& use) {
    use(0);
    for (int i = 0; i < innermost_copy && i < plan.loops; ++i) {
      if (space.nest()[operand].depends_on(plan.loop[i].dim)) use(i + 1);
    }
  }

  int64_t pad_for(const LoopPlan& plan, int depth) const {
    if (roles.k < 0) return 0;
    double length = space.nest().extent[roles.k];
    for (int i = 0; i < depth; ++i) {
      const PlanLoop& loop = plan.loop[i];
      if (loop.dim == roles.k) length = static_cast<double>(plan.chain[loop.dim]->level[loop.level].step);
    }
    const OperandFacts& a = space.nest()[Operand::a];
    for (int i = 0; i < a.count; ++i) {
      if (a.terms[i].dim == roles.m && a.terms[i].coeff != 1) return 0;
    }
    const auto pitch = static_cast<int64_t>(length * a.elem);
    return pitch % 2048 == 0 ? space.model.machine().caches[0].line / static_cast<int64_t>(a.elem) : 0;
  }

  // A's copy first, with B's simplest form; then B's forms with the best of A's. Trying all pairs costs
  // several times more and chose the same plans.
  void with_packs(LoopPlan& plan) {
    const bool panels = roles.b_panels && !roles.depthwise && !kernel.sums_in_l1 && !kernel.dots;
    const bool direct = kernel.dots ? roles.b_along_k : roles.b_direct;
    const bool ahead = space.b_constant && space.options.prepacked_b && (panels || (kernel.dots && !direct));
    plan.b_ahead = ahead;
    plan.b_pack = ahead || !direct ? 0 : -1;
    int best_pack = -1;
    int64_t best_pad = 0;
    double best = 1e300;
    const auto try_copy = [&](int depth) {
      plan.a_pack = depth;
      plan.a_pad = depth < 0 ? 0 : pad_for(plan, depth);
      const double cycles = score_plan(plan);
      if (cycles < best) best = cycles, best_pack = depth, best_pad = plan.a_pad;
    };
    if (!roles.a_must_pack) try_copy(-1);
    if (!roles.depthwise && (roles.a_must_pack || a_copy_may_pay()))
      for_each_depth(plan, Operand::a, try_copy);
    plan.a_pack = best_pack;
    plan.a_pad = best_pad;
    if (ahead || !panels || (roles.b_direct && plan.loops == 0)) return;
    for_each_depth(plan, Operand::b, [&](int depth) {
      if (depth == plan.b_pack) return;
      const int simplest = plan.b_pack;
      plan.b_pack = depth;
      score_plan(plan);
      plan.b_pack = simplest;
    });
  }

  // Rows of A that crowd into few sets of L1, or that share lines with pixels a stride skips, or edges at
  // which tile registers need copies.
  bool a_copy_may_pay() const {
    if (roles.m < 0) return false;
    if (kernel.tiles && roles.edge_share > 0) return true;
    const OperandFacts& a = space.nest()[Operand::a];
    for (int i = 0; i < a.count; ++i) {
      if (a.terms[i].dim == roles.m) return static_cast<int64_t>(a.terms[i].stride) % 2048 == 0;
    }
    return false;
  }

  void with_orders(LoopPlan& plan, const Cut& n, const Cut& k, const Cut& m, const Cut& s) {
    unsigned present = 0;
    const auto mark = [&](Block b, bool there) {
      if (there) present |= 1u << static_cast<int>(b);
    };
    mark(Block::image, !images.empty());
    mark(Block::slab, s.blocks > 0);
    mark(Block::column, n.blocks > 0);
    mark(Block::chunk, k.blocks > 0);
    mark(Block::row, m.blocks > 0);
    for (const BlockOrder& order : block_orders(present)) {
      plan.loops = 0;
      if (k.split) plan.push_split(k.dim);
      for (int d : roles.common) push_tile_loops(plan, d, 0);
      for (int d : roles.columns) push_tile_loops(plan, d, 0);
      for (int i = 0; i < order.count; ++i) {
        switch (order.block[i]) {
          case Block::image:
            for (int d : images) push_tile_loops(plan, d, 0);
            break;
          case Block::slab:
            plan.push(slab, 0);
            break;
          case Block::column:
            plan.push(roles.n, 0);
            break;
          case Block::chunk:
            plan.push(k.dim, k.split ? 1 : 0);
            break;
          case Block::row:
            plan.push(roles.m, 0);
            break;
        }
      }
      const int block_loops = plan.loops;
      const bool has_slab = slab >= 0 && s.chain->levels > s.blocks;
      const bool has_column = n.chain && n.chain->levels > n.blocks;
      const bool has_row = m.chain && m.chain->levels > m.blocks;
      for (const TileOrder& tiles : tile_orders) {
        if (redundant(tiles, has_slab, has_column, has_row)) continue;
        plan.loops = block_loops;
        for (Tile t : tiles.tile) {
          if (t == Tile::slab && has_slab) push_tile_loops(plan, slab, s.blocks);
          if (t == Tile::column && has_column) push_tile_loops(plan, roles.n, n.blocks);
          if (t == Tile::row && has_row) push_tile_loops(plan, roles.m, m.blocks);
        }
        innermost_copy = block_loops + (has_slab && tiles.tile[0] == Tile::slab ? 2 : 1);
        with_packs(plan);
      }
    }
  }

  // Orders that differ only in loops which are not there count once.
  static bool redundant(const TileOrder& order, bool slab, bool column, bool row) {
    const bool column_first = order.tile[0] == Tile::column, row_last = order.tile[2] == Tile::row;
    if (!column) return !column_first;
    if (!slab && !column_first && row_last) return true;
    if (!row && !row_last) return true;
    if (!row && !slab) return !column_first;
    return false;
  }

  // --- block sizes one at a time, finely, from the best coarse plans --------------------------------

  int64_t unit_of(int d) const {
    if (d == roles.n) return kernel.nr;
    if (d == roles.m) return kernel.op == KernelOp::brgemm ? kernel.mr : 1;
    return d == roles.k ? chunk_unit : 1;
  }

  // The blocks of a part; its own size stays.
  bool refine_part(ScoredPlan& at, int i) {
    const ScoredPlan before = at;
    const int d = before.plan.loop[i].dim;
    const Chain& now = *before.plan.chain[d];
    if (before.plan.loop[i].level != 1 || now.levels != 2) return false;
    for (int64_t size : block_sizes(now.level[0].step, chunk_unit, chunk_least, 24)) {
      if (size == now.level[1].step) continue;
      LoopPlan plan = before.plan;
      plan.chain[d] = space.keep(parted(extent(d), now.level[0].step, size));
      if (plan.a_pack >= 0) plan.a_pad = pad_for(plan, plan.a_pack);
      const double cycles = offer(plan);
      if (cycles < at.cycles) at = {cycles, plan};
    }
    return at.cycles < before.cycles;
  }

  bool refine_loop(ScoredPlan& at, int i) {
    const int d = at.plan.loop[i].dim;
    const Chain& now = *at.plan.chain[d];
    if (at.plan.loop[0].split && at.plan.loop[0].dim == d) return refine_part(at, i);
    const bool block = at.plan.loop[i].level == 0 && (now.levels > 1 || space.nest().is_reduction(d) ||
                                                      (roles.depthwise && (d == roles.n || d == slab)));
    if (!block) return false;
    const ScoredPlan before = at;
    for (int64_t size :
         block_sizes(extent(d), unit_of(d), unit_of(d) + (d == roles.k ? chunk_least : 1), 24)) {
      if (size == now.level[0].step) continue;
      const ChainLevel& tile = now.level[1];
      LoopPlan plan = before.plan;
      plan.chain[d] =
          space.keep(tiled(extent(d), size, now.levels > 1 ? tile.step : 0, now.levels > 1 && tile.balanced));
      if (plan.chain[d]->levels != now.levels) continue;
      if (plan.a_pack >= 0) plan.a_pad = pad_for(plan, plan.a_pack);
      if (plan.loop[0].parallel) mark_parallel(plan, space.nest(), space.options.threads);
      for_each_grid(plan, space.options.threads, 2, [&](const LoopPlan& p) {
        const double cycles = offer(p);
        if (cycles < at.cycles) at = {cycles, p};
      });
    }
    return at.cycles < before.cycles;
  }

  void refine() {
    const std::vector<ScoredPlan> starts = local.plans();
    for (ScoredPlan at : starts) {
      bool better = true;
      for (int pass = 0; pass < 3 && better; ++pass) {
        better = false;
        for (int i = 0; i < at.plan.loops; ++i) better |= refine_loop(at, i);
      }
    }
  }

  std::vector<int64_t> heights() const {
    return tile_heights(kernel, space.model.machine(), space.nest()[Operand::c].elem);
  }

  void run() {
    set_up();
    const bool brgemm = kernel.op == KernelOp::brgemm;
    const int64_t nr = brgemm ? kernel.nr : 0;
    const int64_t n_extent = roles.n >= 0 ? extent(roles.n) : 1,
                  m_extent = roles.m >= 0 ? extent(roles.m) : 1;
    std::vector<int64_t> n_blocks, s_blocks;
    if (brgemm) {
      n_blocks = block_sizes(n_extent, nr, nr + 1, sizes);
    } else {
      n_blocks = block_sizes(n_extent, kernel.nr, kernel.nr, sizes);
    }
    if (slab >= 0) s_blocks = block_sizes(extent(slab), 1, 2, sizes);

    const std::vector<Cut> n_cuts = cuts(roles.n, nr, kernel.dots, n_blocks);
    std::vector<Cut> m_cuts;
    for (const int64_t rows : heights()) {
      if (rows < kernel.mr && m_extent <= rows) continue;  // the same as with all rows
      std::vector<int64_t> m_blocks;
      // Rows are cut only where no other loop walks A.
      if (brgemm && slab < 0) m_blocks = block_sizes(m_extent, rows, 2 * rows, sizes);
      for (const Cut& cut : cuts(roles.m, brgemm ? rows : 0, true, m_blocks)) m_cuts.push_back(cut);
    }
    const int64_t slab_tile = !brgemm ? 0 : roles.rows >= 0 ? kernel.mr / tile_rows : 1;
    const std::vector<Cut> s_cuts = cuts(slab, slab_tile, slab_tile > 1, s_blocks);
    LoopPlan plan = base;
    for (const Cut& k : reduction_cuts()) {
      for (int d = 0; d < space.nest().dims; ++d) {
        if (space.nest().is_reduction(d)) plan.chain[d] = d == k.dim ? k.chain : base.chain[d];
      }
      for (const Cut& n : n_cuts) {
        if (roles.n >= 0) plan.chain[roles.n] = n.chain;
        for (const Cut& s : s_cuts) {
          if (slab >= 0) plan.chain[slab] = s.chain;
          for (const Cut& m : m_cuts) {
            if (roles.m >= 0) plan.chain[roles.m] = m.chain;
            with_orders(plan, n, k, m, s);
          }
        }
      }
    }
    refine();
  }
};

}  // namespace

void enumerate(SearchSpace& space, const Roles& roles, const KernelInfo& kernel, const Fineness& fineness) {
  Enumerator{space, roles, kernel, fineness.sizes}.run();
}

double bare_cycles(SearchSpace& space, const Roles& roles, const KernelInfo& kernel) {
  Enumerator e{space, roles, kernel, 0};
  e.set_up();
  LoopPlan plan = e.base;
  plan.edge_share = 0;  // a copy of A may leave edges out
  const auto cycles = [&] {
    return kernel_cycles(space.nest(), space.model.machine(), plan, 1, FarC::no).sum();
  };
  if (kernel.op != KernelOp::brgemm) return cycles();
  if (roles.n >= 0) plan.chain[roles.n] = space.keep(tiled(e.extent(roles.n), 0, kernel.nr, kernel.dots));
  if (roles.m < 0) return cycles();
  double least = std::numeric_limits<double>::infinity();
  for (const int64_t rows : e.heights()) {
    plan.chain[roles.m] = space.keep(tiled(e.extent(roles.m), 0, rows, true));
    least = std::min(least, cycles());
  }
  return least;
}

}  // namespace cortex
