#include "polyopt/search/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "cortex/kernel_library.h"
#include "polyopt/model/facts.h"
#include "polyopt/search/roles.h"
#include "support/checked.h"

namespace cortex {
namespace {

struct Stratum {
  std::vector<const Roles*> roles;
  const KernelInfo* kernel;
};

class Sampler {
 public:
  Sampler(const Nest& nest, const NestFacts& facts, const SearchOptions& options, uint64_t seed)
      : nest_(nest), facts_(facts), options_(options), random_(seed) {}

  Schedule draw(const Roles& roles, const KernelInfo& kernel) {
    roles_ = &roles;
    kernel_ = &kernel;
    schedule_ = {};
    set_tile();
    std::vector<Loop> blocks, tiles;
    choose_loops(blocks, tiles);
    std::shuffle(blocks.begin(), blocks.end(), random_);
    std::shuffle(tiles.begin(), tiles.end(), random_);
    order_batches(blocks);
    const int outer = static_cast<int>(blocks.size());
    schedule_.loops = blocks;
    schedule_.loops.insert(schedule_.loops.end(), tiles.begin(), tiles.end());
    if (!roles.depthwise) place_packs(outer);
    if (!split_reduction()) divide();
    return schedule_;
  }

  int64_t upto(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  bool chance(double p) { return std::bernoulli_distribution(p)(random_); }

 private:
  int64_t extent(int d) const { return nest_.dims[d].extent; }

  void set_tile() {
    KernelTile& tile = schedule_.tile;
    tile.kernel = std::string(kernel_->name);
    tile.m_dim = roles_->m;
    tile.n_dim = roles_->n;
    tile.k_dim = roles_->k;
    tile.rows_dim = roles_->rows;
    std::vector<std::pair<int64_t, int>> batch;
    for (int d = 0; d < facts_.dims; ++d) {
      if ((roles_->batch >> d) & 1u) batch.emplace_back(-linear_stride(nest_[Operand::a], d), d);
    }
    std::sort(batch.begin(), batch.end());
    for (const auto& [stride, d] : batch) tile.batch_dims.push_back(d);
  }

  // A multiple of `unit` inside (0, extent), small ones as likely as large ones on a logarithmic scale.
  int64_t block(int64_t extent, int64_t unit) {
    const double units = static_cast<double>(ceil_div(extent, unit));
    if (units < 2) return 0;
    const double drawn = std::exp(std::uniform_real_distribution<double>(0, std::log(units))(random_));
    const int64_t size = std::max<int64_t>(1, std::llround(drawn)) * unit;
    return size < extent ? size : 0;
  }

  void choose_loops(std::vector<Loop>& blocks, std::vector<Loop>& tiles) {
    const bool brgemm = kernel_->op == KernelOp::brgemm;
    for (int d = 0; d < facts_.dims; ++d) {
      const int64_t n = extent(d);
      const bool is_m = d == roles_->m, is_n = d == roles_->n, is_k = d == roles_->k;
      int64_t left = n;
      if (is_k || is_m || is_n || d == roles_->rows) {
        const int64_t most_rows = d == roles_->rows ? kernel_->mr / tile_rows : kernel_->mr;
        const int64_t unit = is_k ? 16 : is_n ? kernel_->nr : brgemm ? most_rows : 1;
        const int64_t size = chance(0.5) && (brgemm || !is_k) ? block(n, unit) : 0;
        if (size > 0) blocks.push_back({d, left = size});
        if (is_k || !brgemm) continue;
        const int64_t tile = is_n ? kernel_->nr : most_rows;
        if (left > tile) tiles.push_back({d, tile, !is_n && chance(0.8)});
        continue;
      }
      if (n == 1) continue;
      if ((roles_->batch >> d) & 1u) {
        // A window in its rows.
        if (brgemm && d == schedule_.tile.batch_dims.front() && chance(0.2)) blocks.push_back({d, 1});
        continue;
      }
      // Everything else goes by one; long dims may be blocked besides.
      const int64_t size = n >= 4 && chance(0.4) ? block(n, 1) : 0;
      if (size > 1) blocks.push_back({d, size});
      (size > 1 || chance(0.5) ? tiles : blocks).push_back({d, 1});
    }
  }

  // Groups and batches share nothing between their iterations: their loops stay outermost.
  void order_batches(std::vector<Loop>& blocks) {
    std::stable_partition(blocks.begin(), blocks.end(), [&](const Loop& loop) {
      return std::count(roles_->common.begin(), roles_->common.end(), loop.dim) > 0;
    });
  }

  // Before all loops, or just inside one that changes the operand: further in only repeats the copy.
  int depth_for(Operand operand, int outer) {
    std::vector<int> depths = {0};
    for (int i = 0; i <= outer && i < static_cast<int>(schedule_.loops.size()); ++i) {
      if (facts_[operand].depends_on(schedule_.loops[i].dim)) depths.push_back(i + 1);
    }
    return depths[static_cast<std::size_t>(upto(0, std::ssize(depths) - 1))];
  }

  // `outer`: the number of block loops; copies stand among them or around the first tile loop's body.
  void place_packs(int outer) {
    if (chance(roles_->a_must_pack ? 0.7 : 0.25)) {
      const int64_t pad = chance(0.5) ? 16 : 0;
      schedule_.packs.push_back({Operand::a, depth_for(Operand::a, outer), PackForm::box, pad, false});
    }
    const bool ahead = nest_.b_constant && options_.prepacked_b;
    if (kernel_->dots) {
      if (!roles_->b_along_k) schedule_.packs.push_back({Operand::b, 0, PackForm::box, 0, ahead});
      return;
    }
    if (!roles_->b_panels) return;
    if (ahead && chance(0.85)) {
      schedule_.packs.push_back({Operand::b, 0, PackForm::panel, 0, true});
    } else if (!roles_->b_direct || chance(0.6)) {
      schedule_.packs.push_back({Operand::b, depth_for(Operand::b, outer), PackForm::panel, 0, false});
    }
  }

  // One part of the reduction for each thread. Copies inside move one loop further in.
  bool split_reduction() {
    const int d = roles_->k, threads = options_.threads;
    if (threads == 1 || threads > most_parts || d < 0 || !facts_.f32_sums || roles_->depthwise) return false;
    if (!chance(0.1)) return false;
    const int64_t part = round_up(ceil_div(extent(d), int64_t{threads}), 16);
    if (ceil_div(extent(d), part) != threads) return false;
    for (Loop& loop : schedule_.loops) {
      if (loop.dim == d) loop.step = std::min(loop.step, part);
    }
    schedule_.loops.insert(schedule_.loops.begin(), {d, part, false, threads, true, true});
    for (Pack& pack : schedule_.packs) {
      if (pack.depth > 0) ++pack.depth;
    }
    return true;
  }

  // Copies that a thread repeats for itself are part of the space; a copy of everything by every thread is
  // drawn as seldom as any other depth.
  void divide() {
    if (options_.threads == 1) return;
    int prefix = 0;
    while (prefix < static_cast<int>(schedule_.loops.size()) && prefix < CORTEX_MAX_PARALLEL_LOOPS &&
           nest_.dims[schedule_.loops[prefix].dim].kind == DimKind::parallel) {
      ++prefix;
    }
    if (prefix == 0) return;
    prefix = static_cast<int>(upto(1, prefix));
    int left = options_.threads;
    for (int i = 0; i < prefix; ++i) {
      Loop& loop = schedule_.loops[i];
      loop.parallel = true;
      std::vector<int> divisors;
      for (int g = 1; g <= left; ++g) {
        if (left % g == 0) divisors.push_back(g);
      }
      const int last = divisors.back();
      loop.threads =
          i + 1 == prefix ? last : divisors[static_cast<std::size_t>(upto(0, std::ssize(divisors) - 1))];
      left /= loop.threads;
    }
  }

  const Nest& nest_;
  const NestFacts& facts_;
  const SearchOptions& options_;
  std::mt19937_64 random_;
  const Roles* roles_ = nullptr;
  const KernelInfo* kernel_ = nullptr;
  Schedule schedule_;
};

// Multiply-adds that whole register tiles spend on the problem, over those it needs.
double waste(const NestFacts& facts, const Roles& roles, const KernelInfo& kernel) {
  if (kernel.op != KernelOp::brgemm) return 1;
  const double m = roles.m >= 0 ? facts.extent[roles.m] : 1, n = roles.n >= 0 ? facts.extent[roles.n] : 1;
  const double lanes = kernel.lanes, tiles = std::ceil(m / kernel.mr);
  const double columns = std::ceil(n / lanes) * lanes / n;
  // A row alone keeps the FMA units busy only if it spans enough vectors.
  const double busy =
      std::min(1.0, m / tiles * std::min<double>(kernel.nr, std::ceil(n / lanes) * lanes) / lanes / 8);
  return columns / busy;
}

std::vector<Stratum> strata(const Nest& nest, const NestFacts& facts, const std::vector<Roles>& roles,
                            const Machine& machine) {
  std::vector<std::pair<double, Stratum>> all;
  double least = 1e300;
  for (const Roles& r : roles) {
    for (const KernelInfo* kernel : usable_kernels(nest, r, machine)) {
      const double cost = waste(facts, r, *kernel);
      least = std::min(least, cost);
      all.push_back({cost, {{&r}, kernel}});
    }
  }
  std::vector<Stratum> out;
  for (const auto& [cost, stratum] : all) {
    if (cost > 2 * least) continue;
    const auto same = std::find_if(out.begin(), out.end(), [&, kernel = stratum.kernel](const Stratum& s) {
      return s.kernel == kernel;
    });
    if (same == out.end())
      out.push_back(stratum);
    else
      same->roles.push_back(stratum.roles.front());
  }
  return out;
}

}  // namespace

Result<std::vector<Schedule>> sample_schedules(const Nest& nest, const Machine& machine,
                                               const SearchOptions& options, int count, uint64_t seed) {
  const Result<NestFacts> facts = gather_facts(nest);
  if (!facts) return facts.error();
  const Result<std::vector<Roles>> roles = assign_roles(nest, *facts);
  if (!roles) return roles.error();
  const std::vector<Stratum> all = strata(nest, *facts, *roles, machine);
  Sampler sampler(nest, *facts, options, seed);
  std::vector<Schedule> schedules;
  std::set<std::string> seen;
  // Small spaces run dry: so many draws without anything new end the sampling.
  const int patience = 200 + 20 * count;
  for (int draws = 0; std::ssize(schedules) < count && draws < patience && !all.empty(); ++draws) {
    const Stratum& stratum = all[static_cast<std::size_t>(draws) % all.size()];
    const Roles& r = *stratum.roles[static_cast<std::size_t>(sampler.upto(0, std::ssize(stratum.roles) - 1))];
    Schedule schedule = sampler.draw(r, *stratum.kernel);
    if (!check(schedule, nest)) continue;
    if (seen.insert(to_string(schedule, nest)).second) schedules.push_back(std::move(schedule));
  }
  return schedules;
}

}  // namespace cortex
