#include "polyopt/model/score.h"

#include <algorithm>

#include "polyopt/model/compute.h"
#include "polyopt/model/stream.h"

namespace cortex {

Model::Model(const NestFacts& nest, const Machine& machine) : nest_(nest), machine_(machine) {
  std::array<double, crowded_levels> way_bytes;
  for (std::size_t i = 0; i < way_bytes.size(); ++i) {
    const CacheLevel& cache = machine.caches[std::min(i, machine.caches.size() - 1)];
    way_bytes[i] = static_cast<double>(cache.bytes) / cache.associativity;
  }
  for (int o = 0; o < operand_count; ++o) {
    in_place_[o] = user_layout(nest.operand[o], static_cast<double>(machine.caches[0].line), way_bytes);
  }
}

double Model::score(const Plan& plan, Prediction* detail) const {
  const Costs& costs = machine_.costs;
  const Walk walk(nest_, plan);
  const Streams streams(nest_, plan, walk, in_place_.data(), static_cast<double>(machine_.page_bytes));
  const double page = static_cast<double>(machine_.page_bytes);
  const double kernel = kernel_cycles(nest_, machine_, plan, walk.reduction_chunks) * walk.share +
                        loop_cycles(machine_, plan, walk);
  const double pack = pack_cycles(nest_, machine_, plan, walk);
  double longest = kernel + pack;  // of compute and the levels' transfers
  double hidden = 0;               // what shows of the others

  const double ways = machine_.caches[0].associativity;
  const double crowding =
      costs.refetch * std::clamp((streams.a_rows_per_set - costs.usable_ways * ways) / ways, 0.0, 1.0);

  const double unfollowed =
      streams.a_pages > costs.streams_followed ? 1 - costs.streams_followed / streams.a_pages : 0;

  const int levels = static_cast<int>(machine_.caches.size());
  double exposed = 0;  // waiting for data that prefetchers do not foresee
  for (int i = 0; i < streams.count; ++i) {
    const Stream& s = streams.stream[i];
    if (s.last < plan.loops || s.pitch < page || s.rows <= machine_.tlb_entries) continue;
    exposed += costs.page_run * s.rows * walk.visits[s.last];
  }
  int near = 0;               // depth whose data comes together: what L1 holds
  int held = plan.loops + 1;  // every level holds at least what the level above it does
  for (int level = 0; level < levels; ++level) {
    const CacheLevel& cache = machine_.caches[level];
    const double sharers = std::min<double>(walk.threads, cache.shared_by);
    const double usable = cache.shared_by > 1 ? costs.usable_shared : costs.usable_cache;
    const double capacity = usable * static_cast<double>(cache.bytes);
    const auto fits = [&](int depth) {
      if (sharers > 1) return streams.shared_working_set(nest_, plan, depth, sharers) <= capacity;
      return (level < crowded_levels ? streams.working_room(depth, level) : streams.working_set(depth)) <=
             capacity;
    };
    while (held > 0 && fits(held - 1)) --held;

    double reads = 0, writes = 0, runs = 0, lines = 0, copied = 0;
    LevelTraffic out;
    for (int i = 0; i < streams.count; ++i) {
      const Stream& s = streams.stream[i];
      double bytes = held > 0 ? Streams::traffic(s, nest_, plan, walk, held) : 0;
      if (crowding > 0 && level == 0 && s.operand == Operand::a && s.last == plan.loops) {
        bytes += crowding * s.bytes[plan.loops] * walk.visits[plan.loops];
      }
      if (level + 1 == levels && s.operand == Operand::b && !s.copy && plan.kernel->op == KernelOp::brgemm) {
        const double line = static_cast<double>(cache.line);
        const double from_memory = held > 0 ? bytes : plan.b_ahead ? costs.cold_weights * s.bytes[0] : 0;
        if (s.last == plan.loops) exposed += from_memory / line * wait_per_line(machine_, plan, walk, line);
      }
      const double written = held > 0 ? Streams::written(s, walk, held, bytes) : 0;
      reads += bytes;
      writes += written;
      if (s.last < plan.loops) copied += bytes;  // a pack's source
      if (s.copy) copied += written;
      if (level == 0 && s.operand == Operand::a && s.last == plan.loops) {
        exposed += costs.row_line * unfollowed * bytes / static_cast<double>(cache.line);
      }
      if (level > 0 && s.pitch > 0 && s.last == plan.loops) {
        const double run = s.rows > costs.few_rows ? s.run[s.last] : s.run[near];
        const double apart = s.pitch < page ? costs.within_page : 1;
        runs += apart * bytes / run;
        lines += apart * bytes / static_cast<double>(cache.line);
      }
      if (detail) {
        out.read_bytes[static_cast<int>(s.operand)] += bytes * walk.threads;
        out.write_bytes[static_cast<int>(s.operand)] += written * walk.threads;
      }
    }
    if (level == 0) near = std::clamp(held - 1, 0, plan.loops);
    const bool last = level + 1 == levels;
    double cycles;
    if (last) {
      cycles = std::max(
          reads / machine_.memory_read_bytes_per_cycle + writes / machine_.memory_write_bytes_per_cycle,
          walk.threads * (reads + writes) / machine_.memory_bytes_per_cycle_all);
    } else {
      const CacheLevel& below = machine_.caches[level + 1];
      cycles = reads / below.read_bytes_per_cycle + writes / below.write_bytes_per_cycle;
    }
    exposed += last ? runs * costs.memory_run + lines * costs.memory_line
                    : runs * costs.cache_run + lines * costs.cache_line;
    // A copy has no arithmetic to hide behind.
    if (level > 0 && copied > 0) exposed += cycles * copied / (reads + writes);
    double shows = costs.near_overlap;
    if (last)
      shows = costs.memory_overlap + unfollowed * (costs.memory_unfollowed - costs.memory_overlap);
    else if (level > 0)
      shows = costs.far_overlap + unfollowed * (costs.far_unfollowed - costs.far_overlap);
    hidden += shows * std::min(longest, cycles);
    longest = std::max(longest, cycles);
    if (detail) {
      out.level = last ? "memory" : machine_.caches[level + 1].name;
      out.cycles = cycles;
      out.footprint_bytes = streams.working_set(std::min(held, plan.loops));
      detail->levels.push_back(out);
    }
  }
  double cycles = longest + hidden + exposed;
  if (walk.threads > 1) cycles += costs.barrier;
  if (detail) {
    detail->cycles = cycles;
    detail->seconds = cycles / (machine_.ghz * 1e9);
    detail->kernel_cycles = kernel;
    detail->pack_cycles = pack;
  }
  return cycles;
}

}  // namespace cortex
