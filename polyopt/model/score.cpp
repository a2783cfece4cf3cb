#include "polyopt/model/score.h"

#include <algorithm>

#include "polyopt/model/ahead.h"
#include "polyopt/model/compute.h"
#include "polyopt/model/far_c.h"
#include "polyopt/model/parts.h"
#include "polyopt/model/rereads.h"
#include "polyopt/model/stream.h"

namespace cortex {
namespace {

// Of B's transfers, the part that shows besides where kernels walk it in whole rows instead of panels, of
// which each read is the next in memory. AMD EPYC (Zen 5), one row, microseconds in rows and in panels:
// 1024x1024, 36.6 and 31.9; 1024x4096, 141 and 131; 256x1024, 6.66 and 6.29; 4096x4096, 1199 and 999.
constexpr double rows_walked = 0.08;
// Of what tile registers load from L2. Intel Granite Rapids, B from L2, A from L1: 101 cycles a chunk, 79
// from L1.
constexpr double tile_near = 0.5;
constexpr double stores_shown = 0.2;   // of what stores wait for C's rows (see store_cycles)
constexpr double run_taken_up = 1024;  // bytes of a run after which prefetchers need no more help
// Of equal transfers, the schedule with less to compute beside them.
constexpr double computing_shown = 1e-3;

}  // namespace

// How often calls jump in a panel of B: where it holds all of k, the chunks of a window's taps lie apart.
static double jumps_in_panels(const NestFacts& nest, const LoopPlan& plan, const Walk& walk) {
  const bool panels = plan.b_ahead || (plan.b_pack >= 0 && plan.b_panel);
  if (plan.batch == 0 || plan.k_dim < 0 || !panels) return 0;
  const auto& length = walk.length[plan.loops];
  if (length[plan.k_dim] == walk.length[plan.b_ahead ? 0 : plan.b_pack][plan.k_dim]) return 0;
  double taps = 1;
  for (int d = 0; d < nest.dims; ++d) taps *= plan.batch >> d & 1 ? length[d] : 1;
  return walk.visits[plan.loops] * taps;
}

Model::Model(const NestFacts& nest, const Machine& machine) : nest_(nest), machine_(machine) {
  std::array<double, crowded_levels> way_bytes;
  for (std::size_t i = 0; i < way_bytes.size(); ++i) {
    const CacheLevel& cache = machine.caches[std::min(i, machine.caches.size() - 1)];
    way_bytes[i] = static_cast<double>(cache.bytes) / cache.associativity;
    if (i == 1) way_bytes[i] = std::min(way_bytes[i], machine.costs.l2_stride);
  }
  for (int o = 0; o < operand_count; ++o) {
    in_place_[o] = user_layout(nest.operand[o], static_cast<double>(machine.caches[0].line), way_bytes);
  }
}

// The share of a level's traffic of `s` that shows although other things take longer.
double Model::shows(const Stream& s, const LoopPlan& plan, int level, bool last, double unfollowed) const {
  const Costs& c = machine_.costs;
  if (s.last < plan.loops) return 1;  // the source of a copy has no arithmetic to hide behind
  if (level == 0 && plan.kernel->tiles && s.operand != Operand::c) return tile_near;
  switch (s.operand) {
    case Operand::a:
      return level == 0 ? c.a_near + unfollowed * c.a_near_rows
             : last     ? c.a_memory + unfollowed * c.a_memory_rows
                        : c.a_far + unfollowed * c.a_far_rows;
    case Operand::b:
      return (level == 0 ? c.b_near
              : last     ? c.b_memory
                         : c.b_far) +
             (plan.kernel->sums_in_l1 ? rows_walked : 0);
    default:
      return level == 0 ? c.c_near : last ? c.c_memory : c.c_far;
  }
}

// Prefetchers bring C's lines where calls continue its rows or stay in a page. A column of tiles waits for
// the first line of every row, most of which hides behind the arithmetic. AMD EPYC (Zen 5): tiles of 7x64 and
// 14x32 written to 8 MB with rows of 4 KB, nanoseconds a row of the tile: along rows 2, down columns 10; with
// rows of 1 KB, 2 both ways. Microseconds along rows and down columns: 1000x4 times 4x2048, 215 and 289;
// 1500x32 times 32x1024, 414 and 442.
double Model::store_cycles(const LoopPlan& plan, const Walk& walk, const Streams& streams) const {
  if (plan.kernel->op != KernelOp::brgemm) return 0;
  const Stream& c = streams.stream[streams.count - 1];
  const double l1 = machine_.costs.usable_cache * static_cast<double>(machine_.caches[0].bytes);
  if (c.pitch < static_cast<double>(machine_.page_bytes) || c.bytes[0] <= l1) return 0;
  int last = plan.loops - 1;
  while (last >= 0 && walk.visits[last + 1] == walk.visits[last]) --last;
  if (last < 0 || plan.loop[last].dim == plan.n_dim) return 0;
  return machine_.costs.store_run * c.rows * walk.visits[plan.loops];
}

double Model::score(const LoopPlan& plan, Prediction* detail) const {
  const Costs& costs = machine_.costs;
  const Walk walk(nest_, plan);
  const double page = static_cast<double>(machine_.page_bytes);
  const Streams streams(nest_, plan, walk, in_place_.data(), page);
  const FarC c_far = far_c(nest_, plan, walk);
  const KernelCycles kernels = kernel_cycles(nest_, machine_, plan, walk.reduction_chunks, c_far);
  const double kernel = kernels.sum() * walk.share + loop_cycles(machine_, plan, walk);
  const double pack = pack_cycles(nest_, machine_, plan, walk);
  double longest = kernel + pack;  // of compute and the levels' transfers
  // A call of one row ends before what the next one streams is under way.
  const bool one_row = plan.m_dim < 0 || walk.length[plan.loops][plan.m_dim] == 1;
  const double between_calls =
      one_row && plan.kernel->op == KernelOp::brgemm ? kernels.calls * walk.share : 0;

  const double ways = machine_.caches[0].associativity;
  const double crowding =
      costs.refetch * std::clamp((streams.a_rows_per_set - costs.usable_ways * ways) / ways, 0.0, 1.0);
  const double unfollowed =
      streams.a_pages > costs.streams_followed ? 1 - costs.streams_followed / streams.a_pages : 0;

  const Rereads rereads = rereads_of(nest_, plan, walk);
  const Unasked ahead = unasked_share(nest_, plan, walk);
  const double a_waited = asks_for_a(nest_, plan, machine_) ? costs.a_asked : 1;
  double unasked = 1;  // from L2 on

  // Innermost calls that read the same B: what nobody asked for ahead arrives during the first of them, and
  // the others have nothing to hide it behind.
  double visits = 1;
  int same_b = plan.loops;  // depth inside which B stays
  for (; same_b > 0 && !nest_[Operand::b].depends_on(plan.loop[same_b - 1].dim); --same_b) {
    visits *= walk.visits[same_b] / walk.visits[same_b - 1];
  }

  const int levels = static_cast<int>(machine_.caches.size());
  double exposed = 0;  // what shows beside the longest
  for (int i = 0; i < streams.count; ++i) {
    const Stream& s = streams.stream[i];
    if (s.last < plan.loops || s.pitch < page || s.rows <= machine_.tlb_entries) continue;
    exposed += costs.page_run * s.rows * walk.visits[s.last];
  }
  exposed += costs.tap_run * jumps_in_panels(nest_, plan, walk);
  const double stores = store_cycles(plan, walk, streams);
  longest = std::max(longest, stores);
  exposed += stores_shown * stores * std::min(stores / kernel, 1.0);  // long tiles hide them
  int near = 0;               // depth whose data comes together: what L1 holds
  int held = plan.loops + 1;  // every level holds at least what the level above it does
  for (int level = 0; level < levels; ++level) {
    const CacheLevel& cache = machine_.caches[level];
    const bool last = level + 1 == levels;
    const double sharers = std::min<double>(walk.threads, cache.shared_by);
    const double usable = cache.shared_by > 1 ? costs.usable_shared : costs.usable_cache;
    const double capacity = usable * static_cast<double>(cache.bytes);
    const double line = static_cast<double>(cache.line);
    const auto need = [&](int depth) {
      if (sharers > 1) return streams.shared_working_set(nest_, plan, depth, sharers);
      return level < crowded_levels ? streams.working_room(depth, level) : streams.working_set(depth);
    };
    // What exceeds the capacity a little is lost in part: lost[d] of the reuse at depth d, for all depths
    // from `held` to where everything fits.
    const double most = capacity * (1 + costs.spill);
    std::array<double, walk_depths + 1> lost;
    int fits = held;
    while (held > 0) {
      const double next = need(held - 1);
      if (next > most) break;
      --held;
      lost[held] = std::max(0.0, (next - capacity) / (most - capacity));
      if (next <= capacity) fits = held;
    }
    if (level == 1 && ahead.depth >= 0) {
      const double room = streams.room_with_next_b(ahead.depth, level);
      const double had = std::clamp((most - room) / (most - capacity), 0.0, 1.0);
      unasked = 1 - had * (1 - ahead.share);
    }
    const auto traffic = [&](const Stream& s, int depth) {
      return depth > 0 ? Streams::traffic(s, nest_, plan, walk, depth) : 0;
    };
    const auto writes_of = [&](const Stream& s, int depth, double read) {
      return depth > 0 ? Streams::written(s, walk, depth, read) : 0;
    };

    const double read_rate =
        last ? machine_.memory_read_bytes_per_cycle : machine_.caches[level + 1].read_bytes_per_cycle;
    const double write_rate =
        last ? machine_.memory_write_bytes_per_cycle : machine_.caches[level + 1].write_bytes_per_cycle;
    double cycles = 0, moved = 0, runs = 0, lines = 0;
    LevelTraffic out;
    for (int i = 0; i < streams.count; ++i) {
      const Stream& s = streams.stream[i];
      const bool in_kernel = s.last == plan.loops;
      const double waited = s.operand == Operand::b && !s.copy                  ? unasked
                            : s.operand == Operand::a && in_kernel && level > 0 ? a_waited
                                                                                : 1;
      double bytes = traffic(s, held), written = writes_of(s, held, bytes);
      double at = bytes, written_at = written;
      for (int d = held; d < fits; ++d) {
        const double more = traffic(s, d + 1), more_written = writes_of(s, d + 1, more);
        bytes += lost[d] * (more - at);
        written += lost[d] * (more_written - written_at);
        at = more;
        written_at = more_written;
      }
      if (crowding > 0 && level == 0 && s.operand == Operand::a && in_kernel) {
        bytes += crowding * s.bytes[plan.loops] * walk.visits[plan.loops];
      }
      if (held > plan.loops && s.operand != Operand::c && rereads.block_bytes > 0) {
        const double times =
            s.operand == Operand::a ? rereads.of_a(capacity, most) : rereads.of_b(capacity, most);
        if (level == 0) exposed += costs.window_near * (times - 1) * bytes / read_rate;
        bytes *= times;
      }
      if (last && s.operand == Operand::b && !s.copy && in_kernel && plan.kernel->op == KernelOp::brgemm) {
        if (held == 0 && fits == 0 && plan.b_ahead) bytes = costs.cold_weights * s.bytes[0];
        if (bytes > 0) exposed += waited * bytes / line * wait_per_line(machine_, plan, walk, line);
      }
      // Written past the caches: no line is read first, and none waited for.
      if (s.operand == Operand::c && c_far == FarC::past_caches) bytes = 0;
      const double taken = bytes / read_rate + written / write_rate;
      cycles += taken;
      moved += bytes + written;
      if (s.operand == Operand::b && in_kernel && !s.copy && level > 0 && held <= same_b) {
        longest = std::max(longest, kernel * (1 - 1 / visits) + std::max(kernel / visits, waited * taken));
      }
      const double seen =
          s.operand == Operand::b && level > 0 ? waited + (1 - waited) * costs.b_asked : waited;
      exposed += seen * taken * shows(s, plan, level, last, unfollowed);
      if (level > 0 && s.pitch > 0 && in_kernel) {
        const double run = s.rows > costs.few_rows ? s.run[s.last] : s.run[near];
        const double apart = waited * (s.pitch < page ? costs.within_page : 1);
        runs += apart * bytes / run;
        lines += apart * bytes / line * std::min(1.0, run_taken_up / run);
      }
      if (detail) {
        out.read_bytes[static_cast<int>(s.operand)] += bytes * walk.threads;
        out.write_bytes[static_cast<int>(s.operand)] += written * walk.threads;
      }
    }
    if (level == 0) near = std::clamp(held - 1, 0, plan.loops);
    if (last) cycles = std::max(cycles, walk.threads * moved / machine_.memory_bytes_per_cycle_all);
    exposed += last ? runs * costs.memory_run + lines * costs.memory_line
                    : runs * costs.cache_run + lines * costs.cache_line;
    longest = std::max(longest, cycles + between_calls);
    if (detail) {
      out.level = last ? "memory" : machine_.caches[level + 1].name;
      out.cycles = cycles;
      out.footprint_bytes = streams.working_set(std::min(held, plan.loops));
      detail->levels.push_back(out);
    }
  }
  double cycles = longest + exposed + computing_shown * kernel;
  if (walk.threads > 1) cycles += costs.barrier;
  cycles += sum_cycles(nest_, machine_, plan, walk.threads);
  if (detail) {
    detail->cycles = cycles;
    detail->seconds = cycles / (machine_.ghz * 1e9);
    detail->kernel_cycles = kernel;
    detail->pack_cycles = pack;
  }
  return cycles;
}

}  // namespace cortex
