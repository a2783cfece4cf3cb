#include "polyopt/model/score.h"

#include <algorithm>
#include <cmath>

#include "polyopt/model/costs.h"
#include "polyopt/model/footprint.h"
#include "support/checked.h"

namespace cortex {
namespace {

constexpr int max_streams = 5;
constexpr int max_depth = plan_max_loops + 1;

// One body of data with its own addresses: an operand in place, the source of a pack, or a packed copy.
struct Stream {
  Operand operand = Operand::a;
  Layout layout;
  bool panel = false;       // B in panels of nr columns
  bool packed = false;      // a copy that execute() makes
  int first = 0, last = 0;  // depths at which it is touched; a copy's box stays the same above `first`
  std::array<double, max_depth> bytes{}, room{};  // footprint at each depth; room it takes in L1 (crowding)
};

struct Scorer {
  const NestFacts& nest;
  const Machine& machine;
  const Plan& plan;

  std::array<std::array<double, facts_max_dims>, max_depth> length{};  // of every dim, at every depth
  std::array<double, plan_max_loops> trips{};  // of the slowest thread
  std::array<double, max_depth> visits{};      // times depth d is entered, product of trips outside
  double share = 1;                            // of the work the slowest thread has
  double grid = 1;                             // threads at work
  int streams = 0;
  std::array<Stream, max_streams> stream{};
  double kernel = 0, pack = 0;

  double line() const { return static_cast<double>(machine.caches[0].line); }

  void measure_loops() {
    for (int d = 0; d < nest.dims; ++d) length[0][d] = nest.extent[d];
    visits[0] = 1;
    for (int i = 0; i < plan.loops; ++i) {
      const PlanLoop& loop = plan.loop[i];
      const ChainLevel& level = plan.chain[loop.dim]->level[loop.level];
      length[i + 1] = length[i];
      length[i + 1][loop.dim] = level.length;
      trips[i] = level.trips;
      if (loop.threads > 1) {
        const double mine = std::ceil(level.trips / loop.threads);
        share *= mine / level.trips;
        grid *= std::min<double>(loop.threads, std::ceil(level.trips));
        trips[i] = mine;
      }
      visits[i + 1] = visits[i] * trips[i];
    }
  }

  double footprint_bytes(const Stream& s, int depth, double* room) const {
    const auto& len = length[depth];
    if (s.panel) {
      // Panels are dense: full lines, zeros up to nr.
      double bytes = nest[s.operand].elem;
      const OperandFacts& facts = nest[s.operand];
      for (int d = 0; d < nest.dims; ++d) {
        if (!facts.depends_on(d)) continue;
        bytes *= d == plan.n_dim ? std::ceil(len[d] / plan.kernel->nr) * plan.kernel->nr : len[d];
      }
      *room = bytes;
      return bytes;
    }
    const Footprint f = footprint(s.layout, len.data(), line());
    const CacheLevel& l1 = machine.caches[0];
    *room = crowded_bytes(f, static_cast<double>(l1.bytes) / l1.associativity);
    return f.bytes;
  }

  void add_stream(Stream s) {
    const uint32_t dims = nest[s.operand].dims;
    for (int depth = plan.loops; depth >= 0; --depth) {
      if (depth < s.first || depth > s.last) continue;
      const bool same = depth < s.last && !((dims >> plan.loop[depth].dim) & 1u);
      if (same) {
        s.bytes[depth] = s.bytes[depth + 1];
        s.room[depth] = s.room[depth + 1];
      } else {
        s.bytes[depth] = footprint_bytes(s, depth, &s.room[depth]);
      }
    }
    for (int depth = s.first - 1; depth >= 0; --depth) {
      s.bytes[depth] = s.bytes[s.first];
      s.room[depth] = s.room[s.first];
    }
    stream[streams++] = s;
  }

  // Strides inside A's (or a boxed B's) packed copy: k innermost, other tensor dimensions in order.
  Layout packed_layout(Operand operand, int depth, double pad) const {
    const OperandFacts& facts = nest[operand];
    const int adjacent = operand == Operand::a ? plan.k_dim : plan.n_dim;
    int inner = facts.rank - 1;
    std::array<double, facts_max_rank> extent{};
    extent.fill(1);
    for (int i = 0; i < facts.count; ++i) {
      const FactTerm& t = facts.terms[i];
      if (t.dim == adjacent) inner = t.axis;
      extent[t.axis] += t.coeff * (length[depth][t.dim] - 1);
    }
    std::array<double, facts_max_rank> stride{};
    double next = facts.elem;
    stride[inner] = next;
    next *= extent[inner] + pad;
    for (int axis = facts.rank - 1; axis >= 0; --axis) {
      if (axis == inner) continue;
      stride[axis] = next;
      next *= extent[axis];
    }
    Layout layout;
    layout.elem = facts.elem;
    layout.line_rows = false;
    for (int i = 0; i < facts.count; ++i) {
      const FactTerm& t = facts.terms[i];
      const double s = t.coeff * stride[t.axis];
      int at = layout.count++;
      for (; at > 0 && layout.stride[at - 1] > s; --at) {
        layout.stride[at] = layout.stride[at - 1];
        layout.dim[at] = layout.dim[at - 1];
      }
      layout.stride[at] = s;
      layout.dim[at] = t.dim;
    }
    return layout;
  }

  // A source that is read through a pack, and the copy; or the operand in place.
  void add_operand(Operand operand, int pack_depth, bool ahead, bool panel, double pad) {
    Stream s;
    s.operand = operand;
    s.last = plan.loops;
    if (pack_depth < 0) {
      s.layout = user_layout(nest[operand], line());
      add_stream(s);
      return;
    }
    if (!ahead) {
      Stream source = s;
      source.layout = user_layout(nest[operand], line());
      source.last = pack_depth;
      add_stream(source);
      s.packed = true;
      s.first = pack_depth;
      price_pack(stream[streams - 1], operand, pack_depth, panel);
    }
    s.panel = panel;
    if (!panel) s.layout = packed_layout(operand, pack_depth, pad);
    add_stream(s);
  }

  void price_pack(const Stream& source, Operand operand, int depth, bool panel) {
    const OperandFacts& facts = nest[operand];
    const int adjacent = operand == Operand::a ? plan.k_dim : plan.n_dim;
    double elements = 1, run = 1;
    bool straight = adjacent < 0;
    std::array<double, facts_max_rank> extent{};
    extent.fill(1);
    for (int i = 0; i < facts.count; ++i) {
      const FactTerm& t = facts.terms[i];
      extent[t.axis] += t.coeff * (length[depth][t.dim] - 1);
      if (t.dim == adjacent && t.stride == facts.elem) {
        straight = true;
      }
    }
    for (int axis = 0; axis < facts.rank; ++axis) elements *= extent[axis];
    for (int i = 0; i < facts.count; ++i) {
      if (facts.terms[i].dim == adjacent) run = extent[facts.terms[i].axis];
    }
    if (panel) run = std::min<double>(run, plan.kernel->nr);
    const double rate = straight ? costs::pack_bytes_per_cycle : costs::transpose_bytes_per_cycle;
    const double once =
        costs::pack_call + costs::pack_run * elements / std::max(run, 1.0) + elements * facts.elem / rate;
    (void)source;
    pack += visits[depth] * once;
  }

  double working_set(int depth, bool first_level) const {
    double sum = 0;
    for (int i = 0; i < streams; ++i) {
      const Stream& s = stream[i];
      if (depth > s.last) continue;
      sum += first_level ? s.room[depth] : s.bytes[depth];
    }
    return sum;
  }

  bool changes(const Stream& s, int loop) const {
    if (s.packed && loop < s.first) return loop == s.first - 1;  // the copy is made anew
    return nest[s.operand].depends_on(plan.loop[loop].dim);
  }

  // Bytes of `s` that one thread brings into a level that holds the working set of depth `held`
  // (plan.loops + 1: not even that of one kernel call).
  double traffic(const Stream& s, int held) const {
    int i = held - 1;
    if (s.packed && held <= s.first) return 0;  // the copy never leaves the level
    if (s.last < plan.loops && i >= s.last) return s.bytes[s.last] * visits[s.last];
    if (i == plan.loops) {
      if (s.operand != Operand::c) return s.bytes[i] * visits[i];
      --i;  // C stays in registers for the whole call
    }
    while (i >= 0 && !changes(s, i)) --i;
    if (i < 0) return s.bytes[0];
    if (s.packed && i < s.first) return s.bytes[s.first] * visits[s.first];
    return s.bytes[i] * visits[i];
  }

  double price_kernel() {
    const Chain* mc = plan.m_dim >= 0 ? plan.chain[plan.m_dim] : nullptr;
    const Chain* nc = plan.n_dim >= 0 ? plan.chain[plan.n_dim] : nullptr;
    double reduction = 1, others = 1, chunks = 1;
    for (int d = 0; d < nest.dims; ++d) {
      if (d == plan.m_dim || d == plan.n_dim) continue;
      (nest.is_reduction(d) ? reduction : others) *= nest.extent[d];
    }
    for (int i = 0; i < plan.loops; ++i) {
      if (!nest.is_reduction(plan.loop[i].dim)) continue;
      const PlanLoop& loop = plan.loop[i];
      chunks *= plan.chain[loop.dim]->level[loop.level].trips;
    }
    const KernelInfo& k = *plan.kernel;
    double total = 0;
    for (int im = 0; im < (mc ? mc->tiles.count : 1); ++im) {
      const double m = mc ? static_cast<double>(mc->tiles.size[im]) : 1;
      const double m_count = mc ? mc->tiles.number[im] : 1;
      for (int in = 0; in < (nc ? nc->tiles.count : 1); ++in) {
        const double n = nc ? static_cast<double>(nc->tiles.size[in]) : 1;
        const double n_count = nc ? nc->tiles.number[in] : 1;
        const double vectors = std::ceil(n / k.lanes);
        double calls = chunks, step, fixed;
        if (k.op == KernelOp::dwconv) {
          // Per output vector one load of the input, one of the weights shared by mr outputs, one FMA.
          step = m * vectors * std::max(1 / machine.fma_per_cycle, (1 + 1.0 / k.mr) / machine.loads_per_cycle);
          fixed = k.tile_cycles * m * vectors;
        } else {
          step = std::max({m * vectors / machine.fma_per_cycle, (m + vectors) / machine.loads_per_cycle,
                           static_cast<double>(machine.fma_latency)});
          fixed = k.tile_cycles * m * vectors;
        }
        total += m_count * n_count * others * (reduction * step + calls * (k.call_cycles + costs::call_setup + fixed));
      }
    }
    double steps = 0, visit = 1;
    for (int i = 0; i < plan.loops; ++i) {
      visit *= plan.chain[plan.loop[i].dim]->level[plan.loop[i].level].trips;
      steps += visit;
    }
    return total + steps * costs::loop_step;
  }

  double run(Prediction* detail) {
    measure_loops();
    add_operand(Operand::a, plan.a_pack, false, false, static_cast<double>(plan.a_pad));
    add_operand(Operand::b, plan.b_pack, plan.b_ahead, plan.b_panel, 0);
    add_operand(Operand::c, -1, false, false, 0);
    kernel = price_kernel() * share;

    const double compute = kernel + pack;
    double longest = compute, sum = compute;
    const int levels = static_cast<int>(machine.caches.size());
    for (int level = 0; level < levels; ++level) {
      const CacheLevel& cache = machine.caches[level];
      const bool shared = cache.shared_by > 1 && grid > 1;
      const double sharers = shared ? std::min<double>(grid, cache.shared_by) : 1;
      const double capacity = costs::usable_cache * static_cast<double>(cache.bytes);
      int held = 0;
      while (held <= plan.loops && set_in(held, level == 0, sharers) > capacity) ++held;

      double reads = 0, writes = 0;
      LevelTraffic out;
      if (held > 0) {
        for (int i = 0; i < streams; ++i) {
          const Stream& s = stream[i];
          double bytes = traffic(s, held);
          if (level == 0 && held == plan.loops + 1 && s.operand == Operand::a && s.last == plan.loops &&
              s.room[plan.loops] > capacity && s.room[plan.loops] > 2 * s.bytes[plan.loops]) {
            bytes *= costs::conflict_refetch;
          }
          const bool written = s.operand == Operand::c || s.packed;
          reads += bytes;
          if (written) writes += bytes;
          out.read_bytes[static_cast<int>(s.operand)] += bytes * grid;
          if (written) out.write_bytes[static_cast<int>(s.operand)] += bytes * grid;
        }
      }
      const bool last = level + 1 == levels;
      double cycles;
      if (last) {
        cycles = std::max(reads / machine.memory_read_bytes_per_cycle + writes / machine.memory_write_bytes_per_cycle,
                          grid * (reads + writes) / machine.memory_bytes_per_cycle_all);
      } else {
        const CacheLevel& below = machine.caches[level + 1];
        cycles = reads / below.read_bytes_per_cycle + writes / below.write_bytes_per_cycle;
      }
      longest = std::max(longest, cycles);
      sum += cycles;
      if (detail) {
        out.level = last ? "memory" : machine.caches[level + 1].name;
        out.cycles = cycles;
        out.footprint_bytes = working_set(std::min(held, plan.loops), false);
        detail->levels.push_back(out);
      }
    }
    double cycles = longest + costs::overlap * (sum - longest);
    if (grid > 1) cycles += costs::barrier;
    if (detail) {
      detail->cycles = cycles;
      detail->seconds = cycles / (machine.ghz * 1e9);
      detail->kernel_cycles = kernel;
      detail->pack_cycles = pack;
    }
    return cycles;
  }

  // Working set at a depth in a cache that `sharers` threads use at once: what they share counts once.
  double set_in(int depth, bool first_level, double sharers) const {
    if (sharers <= 1) return working_set(depth, first_level);
    double sum = 0;
    for (int i = 0; i < streams; ++i) {
      const Stream& s = stream[i];
      if (depth > s.last) continue;
      double copies = 1;
      for (int l = 0; l < plan.loops && plan.loop[l].parallel; ++l) {
        const bool apart = s.packed && l < s.first ? true : nest[s.operand].depends_on(plan.loop[l].dim);
        if (l < depth && plan.loop[l].threads > 1 && apart) copies *= plan.loop[l].threads;
      }
      sum += s.bytes[depth] * std::min(copies, sharers);
    }
    return sum;
  }
};

}  // namespace

double score(const NestFacts& nest, const Machine& machine, const Plan& plan, Prediction* detail) {
  Scorer scorer{nest, machine, plan};
  return scorer.run(detail);
}

double kernel_cycles(const NestFacts& nest, const Machine& machine, const Plan& plan) {
  Scorer scorer{nest, machine, plan};
  return scorer.price_kernel();
}

}  // namespace cortex
