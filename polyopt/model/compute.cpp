#include "polyopt/model/compute.h"

#include <algorithm>
#include <cmath>

#include "polyopt/model/footprint.h"
#include "polyopt/model/halves.h"
#include "polyopt/model/rereads.h"

namespace cortex {
namespace {

// Cycles for a vector of B across two lines. AMD EPYC (Zen 5), 33x513:513x511 and 13x500:500x1500 in place,
// by tile: 7x64 18 cycles a step where whole lines take 15, 14x32 16.
constexpr double split_load = 0.7;

constexpr double dots_group = 15;  // cycles to start a group of rows

struct TileCost {
  double step = 0;   // per reduction step
  double first = 0;  // per call that starts a tile
  double again = 0;  // per call that adds to what C holds
};

// One column of B with adjacent elements: the kernels' lanes run along k.
bool is_dot(const NestFacts& nest, const LoopPlan& plan) {
  if (plan.n_dim >= 0 || plan.k_dim < 0) return false;
  const OperandFacts& b = nest[Operand::b];
  for (int i = 0; i < b.count; ++i) {
    if (b.terms[i].dim == plan.k_dim) return b.terms[i].stride == b.elem;
  }
  return false;
}

// The share of B's vectors that lie across two cache lines: of rows in place whose pitch is no multiple of a
// line. Copies are aligned.
double split_share(const NestFacts& nest, const Machine& machine, const LoopPlan& plan) {
  if (plan.b_pack >= 0 || plan.b_ahead || plan.n_dim < 0 || plan.kernel->op != KernelOp::brgemm) return 0;
  if (plan.kernel->dots) return 0;
  const double line = static_cast<double>(machine.caches[0].line), vector = plan.kernel->lanes * 4.0;
  const OperandFacts& b = nest[Operand::b];
  double unit = line;  // vectors start at multiples of it
  for (int i = 0; i < b.count; ++i) {
    if (b.terms[i].dim != plan.n_dim) unit = std::min(unit, common_power(b.terms[i].stride, line));
  }
  return std::max(vector - unit, 0.0) / line;
}

// How much longer multiply-adds take because few sums are in flight: the smaller tiles of AVX2, whose 16
// registers hold no second copy of their sums. Copies as microkernels/brgemm makes them. AMD EPYC (Zen 5),
// sums in flight: 8 (4x16) take 4.7 cycles a step where 4 would do, 9 (3x24) 4.8 for 4.5, 10 (5x16) 5.3 for
// 5, 12 (4x24, 6x16) 6.1 for 6. Zen 3: 4.15, 4.65, 5.1, 6.05.
double waiting(const KernelInfo& kernel, const Machine& machine, double m, double vectors, double multiply) {
  if (kernel.lanes < 8) return 0;  // not measured
  const double registers = kernel.lanes == 16 ? 32 : 16, needed = machine.fma_latency * machine.fma_per_cycle;
  double sums = m * vectors, copies = 1;
  while (copies < 8 && sums < 12 && 2 * sums + vectors + 1 < registers) sums *= 2, copies *= 2;
  if (sums >= 1.5 * needed) return 0;
  const double missing = 1.5 - std::max(sums / needed, 1.0);  // 0.5 where they are just enough
  const double wait = machine.costs.few_sums * missing * missing;
  return std::max(multiply, machine.fma_latency / copies) * (1 + wait) - multiply;
}

// Of the loads of tile registers, the part that shows beside the multiplications. Intel Granite Rapids, 32x32
// from L1: 79 cycles a chunk, 64 of them multiplications and 32 loads.
constexpr double tile_load_overlap = 0.47;

// Cycles to copy a chunk of A for tile registers, and for each of its rows.
constexpr double tile_copy = 40, tile_copy_row = 1.5;

// Tile registers: m rows times n columns, k cut into chunks of up to 16 units of which `units` lie side by
// side. Every chunk loads its rows of A and of B, and what adds to the same sums waits for one another.
TileCost tiles_cost(const KernelInfo& kernel, const Machine& machine, double m, double n, double units) {
  constexpr double side = 16, latency = 20;
  const double columns = std::ceil(n / side), chunks = std::ceil(units / side);
  const double multiply = m * columns, load = (m + units / chunks * columns) / machine.loads_per_cycle;
  TileCost cost;
  cost.step =
      (std::max({multiply, load, latency}) + tile_load_overlap * std::min(multiply, load)) * chunks / units;
  cost.first = kernel.call_cycles + machine.costs.call_setup + kernel.tile_cycles * m * columns;
  cost.again = cost.first + m * columns;
  return cost;
}

// Depthwise windows. Of bytes: a group of channels is as wide as the kernel, 4 vectors of sums; counted from
// the kernels' code for 3x3 windows, in instructions that take a slot of the multiply-adds.
TileCost window_cost(const KernelInfo& kernel, const Machine& machine, const WindowBlock& block, double rows,
                     double columns, double n) {
  constexpr double byte_tap = 2.1, emulated_byte_tap = 7, byte_output = 28;  // per group
  constexpr double byte_channel = 5;                                         // cycles to interleave its taps
  constexpr double widened = 1.4;  // bf16: two more instructions for every vector that is loaded
  // Cycles of a block by columns, and for each of its vectors. EPYC (Zen 3), AVX2, 8 to 16 rows from L1.
  constexpr double column_start = 10, column_block = 2;
  TileCost cost;
  const double m = rows * columns;
  if (kernel.c == "s32") {
    const double blocks = std::max(m / kernel.mr, 1.0);
    const bool dot = kernel.isa == Isa::avx2vnni || kernel.isa >= Isa::avx512vnni;
    const double groups = std::ceil(n / kernel.nr), outputs = m * groups / machine.fma_per_cycle;
    cost.step = outputs * (dot ? byte_tap : emulated_byte_tap);
    cost.first = kernel.call_cycles + machine.costs.call_setup + outputs * byte_output +
                 groups * (byte_channel * kernel.nr +
                           (machine.costs.window_start + machine.costs.window_block) * blocks);
    return cost;
  }
  // Each input vector of a block meets several taps: loads hide behind multiplications. A block by columns of
  // fewer rows waits for its sums about as long as a whole one multiplies.
  const double high = block.by_columns ? std::ceil(rows / block.rows) * block.rows : rows;
  const double blocks = block.by_columns ? high / block.rows * columns : std::max(m / kernel.mr, 1.0);
  const double block_vector = block.by_columns ? column_block : machine.costs.window_block;
  const double start = block.by_columns ? column_start : machine.costs.window_start;
  const double vectors = std::ceil(n / kernel.lanes);
  cost.step = high * columns * vectors / machine.fma_per_cycle * (kernel.a == "bf16" ? widened : 1);
  cost.first = kernel.call_cycles + machine.costs.call_setup + kernel.tile_cycles * m * vectors +
               (start + block_vector * vectors) * blocks;
  return cost;
}

// How much longer a product of pairs of bf16 takes than a multiply-add.
double slower_pairs(const KernelInfo& kernel, const Machine& machine) {
  const bool native = kernel.isa == Isa::avx512bf16 && machine.bf16_dots_per_cycle > 0;
  return native ? machine.fma_per_cycle / machine.bf16_dots_per_cycle : widened_pair;
}

// The same of a product of four bytes, which kernels without vpdpbusd widen to 16 bits. AMD EPYC (Zen 4),
// `cortex-bench run --dt u8s8s32 512x512:512x512`, of the time of as many multiply-adds as f32 takes at its
// peak: 3.2 with AVX-512, 3.15 with AVX2, 23 in plain C++.
double slower_quads(const KernelInfo& kernel) {
  if (kernel.isa == Isa::avx2vnni || kernel.isa >= Isa::avx512vnni) return 1;
  return kernel.isa == Isa::baseline ? 23 : 3.1;
}

// Vectors that n columns multiply: of a last one that is half empty, kernels multiply the lower half alone.
double vectors_multiplied(const KernelInfo& kernel, const Machine& machine, double n) {
  const double vectors = std::ceil(n / kernel.lanes);
  const bool widened =
      (kernel.c == "s32" && slower_quads(kernel) > 1) || (kernel.a == "bf16" && kernel.isa < Isa::avx512bf16);
  if (kernel.lanes < 16 || widened || !halves_take_turns(machine)) return vectors;
  return n <= (vectors - 0.5) * kernel.lanes ? vectors - 0.5 : vectors;
}

// `steps`: of the reduction in one call.
TileCost tile_cost(const KernelInfo& kernel, const Machine& machine, double m, double n, double steps,
                   bool dot, double split) {
  const double vectors = std::ceil(n / kernel.lanes), tile = m * vectors;
  TileCost cost;
  if (kernel.dots) {
    // Groups of rows walk k together; all lanes of every sum are added up in the end.
    const double groups = std::ceil(m / rows_of_dots(kernel, n));
    const double multiply = std::max(m * n / machine.fma_per_cycle, groups * machine.fma_latency);
    const double load = (m + groups * n) / machine.loads_per_cycle;
    cost.step =
        (std::max(multiply, load) + machine.costs.load_overlap * std::min(multiply, load)) / kernel.lanes;
    cost.first =
        kernel.call_cycles + machine.costs.call_setup + dots_group * groups + machine.costs.dot_sum * m * n;
    cost.again = cost.first + machine.costs.dot_row * m;
    return cost;
  }
  if (dot) {
    cost.step =
        std::max((m + 1) / machine.loads_per_cycle, static_cast<double>(machine.fma_latency)) / kernel.lanes;
    cost.first = kernel.call_cycles + machine.costs.call_setup + machine.costs.dot_row * m;
    cost.again = cost.first + machine.costs.reload_call;
    return cost;
  }
  // A tile that leaves no register for all of B's row reads A again with the last vector (7x64).
  const double registers = kernel.lanes == 16 ? 32 : 16;
  const double repeated = m > 1 && tile + vectors + 1 > registers ? m * machine.costs.repeated_loads : 0;
  double multiply = m * vectors_multiplied(kernel, machine, n) / machine.fma_per_cycle;
  double load = (m + vectors + repeated) / machine.loads_per_cycle;
  if (kernel.sums_in_l1) {
    // Strips of columns, twelve rows at a time: each reads and writes its sums, and waits for them if narrow.
    const double strips = std::ceil(vectors / (kernel.lanes == 16 ? 16 : 12));
    const double visits = std::ceil(steps / 12) / std::max(steps, 1.0);  // of the sums, per step
    load = (strips + vectors + (vectors + strips * machine.costs.strip) * visits) / machine.loads_per_cycle;
    multiply = std::max(multiply, strips * machine.fma_latency);
  } else {
    if (kernel.a == "bf16") multiply *= slower_pairs(kernel, machine);
    if (kernel.c == "s32") multiply *= slower_quads(kernel);
    multiply += waiting(kernel, machine, m, vectors, multiply);
  }
  cost.step = std::max(multiply, load) + machine.costs.load_overlap * std::min(multiply, load) +
              split_load * split * vectors;
  cost.first = kernel.call_cycles + machine.costs.call_setup + kernel.tile_cycles * tile;
  cost.again = cost.first + machine.costs.reload_call + machine.costs.reload_vector * tile;
  return cost;
}

// One copy of `operand`'s box at `depth`.
double one_pack(const NestFacts& nest, const Machine& machine, const LoopPlan& plan, const Walk& walk,
                Operand operand, int depth) {
  const OperandFacts& facts = nest[operand];
  const bool panel = operand == Operand::b && plan.b_panel;
  const int adjacent = operand == Operand::a || plan.kernel->dots ? plan.k_dim : plan.n_dim;
  std::array<double, facts_max_rank> extent;
  for (int axis = 0; axis < facts.rank; ++axis) extent[axis] = 1;
  int inner = facts.rank - 1;
  bool straight = adjacent < 0;
  for (int i = 0; i < facts.count; ++i) {
    const FactTerm& t = facts.terms[i];
    extent[t.axis] += t.coeff * (walk.length[depth][t.dim] - 1);
    if (t.dim != adjacent) continue;
    inner = t.axis;
    straight = t.stride == facts.elem;
  }
  double elements = 1;
  for (int axis = 0; axis < facts.rank; ++axis) elements *= extent[axis];
  double run = std::max(extent[inner], 1.0);
  if (panel) run = std::min<double>(run, plan.kernel->nr);
  const double rate = straight ? machine.costs.pack_bytes_per_cycle : machine.costs.transpose_bytes_per_cycle;
  return machine.costs.pack_call + machine.costs.pack_run * elements / run + elements * facts.elem / rate;
}

// What is saved, in units of what setting up a call takes, where the kernel walks from tile to tile itself:
// of one product, and of batches, whose elements then start faster too. EPYC (Zen 3), AVX2, 16 to 256 steps:
// 12 to 20 cycles a tile; where another hardware thread shares the core, twice as many; 3x3 windows of 64 and
// 128 channels 200 and more.
constexpr double walked_setup = 0.8, walked_batch_setup = 1;

// Whether it does, as far as a plan tells (see let_kernel_walk_rows(), which also knows loops of one tile,
// copies made for every tile, and that the parts of a split reduction have no epilogue).
bool walks_rows(const NestFacts& nest, const LoopPlan& plan, FarC c_far) {
  if (!nest.light_epilogue || c_far == FarC::asked_for) return false;
  return plan.kernel->walks_rows && plan.loops > 0 && plan.loop[plan.loops - 1].dim == plan.m_dim &&
         plan.loop[plan.loops - 1].threads == 1;
}

// Units of k that one element of a call's batch has.
double units_of_call(const NestFacts& nest, const LoopPlan& plan) {
  if (plan.k_dim < 0) return 1;
  const Chain* const chain = plan.chain[plan.k_dim];
  return chain ? static_cast<double>(chain->tiles.size[0]) : nest.extent[plan.k_dim];
}

}  // namespace

KernelCycles kernel_cycles(const NestFacts& nest, const Machine& machine, const LoopPlan& plan,
                           double reduction_chunks, FarC c_far) {
  static const Chain single = whole(1);
  const Chain& rows = plan.m_dim >= 0 ? *plan.chain[plan.m_dim] : single;
  const Chain& columns = plan.n_dim >= 0 ? *plan.chain[plan.n_dim] : single;
  const Chain& bands = plan.rows_dim >= 0 ? *plan.chain[plan.rows_dim] : single;
  double reduction = 1, others = 1;
  for (int d = 0; d < nest.dims; ++d) {
    if (nest.is_reduction(d))
      reduction *= nest.extent[d];
    else if (d != plan.m_dim && d != plan.n_dim && d != plan.rows_dim)
      others *= nest.extent[d];
  }
  reduction *= plan.work;
  const bool dot = is_dot(nest, plan);
  const double split = split_share(nest, machine, plan);
  const bool waits =
      halves_take_turns(machine) && plan.kernel->lanes == 16 && plan.kernel->op == KernelOp::brgemm;
  const bool stores_f32 = waits && nest[Operand::c].elem == 4;
  const bool stores_bf16 = waits && plan.kernel->a == "bf16" && nest[Operand::c].elem == 2;
  const bool walked = walks_rows(nest, plan, c_far);
  const double saved = (plan.batch == 0 ? walked_setup : walked_batch_setup) * machine.costs.call_setup;
  KernelCycles total;
  for (int band = 0; band < bands.tiles.count; ++band) {
    for (int i = 0; i < rows.tiles.count; ++i) {
      for (int j = 0; j < columns.tiles.count; ++j) {
        const auto row = static_cast<double>(rows.tiles.size[i]),
                   high = static_cast<double>(bands.tiles.size[band]);
        const double m = row * high;
        const auto n = static_cast<double>(columns.tiles.size[j]);
        TileCost cost;
        if (plan.kernel->tiles) {
          cost = tiles_cost(*plan.kernel, machine, m, n, units_of_call(nest, plan));
        } else if (plan.kernel->op == KernelOp::dwconv) {
          cost = window_cost(*plan.kernel, machine, blocks_of(nest, plan), high, row, n);
        } else {
          cost = tile_cost(*plan.kernel, machine, m, n, reduction / reduction_chunks, dot, split);
        }
        if (walked) cost.first -= saved, cost.again -= saved;
        const double stored = m * std::ceil(n / plan.kernel->lanes);
        if (stores_f32) cost.first += store_wait * std::max(stored - vectors_stored, 0.0);
        if (stores_bf16) cost.first += store_wait_bf16 * std::max(stored - vectors_stored_bf16, 0.0);
        const double tiles =
            rows.tiles.number[i] * columns.tiles.number[j] * bands.tiles.number[band] * others;
        total.steps += tiles * reduction * cost.step;
        total.calls += tiles * (cost.first + (reduction_chunks - 1) * cost.again);
      }
    }
  }
  if (plan.kernel->tiles && plan.a_pack < 0 && plan.edge_share > 0) {
    // Elements of the batch that reach some rows only: copies of their chunks, read back as they are written.
    const double units = units_of_call(nest, plan), chunks = reduction / units * std::ceil(units / 16);
    const auto number = [](const Chain& chain) {
      double all = 0;
      for (int i = 0; i < chain.tiles.count; ++i) all += chain.tiles.number[i];
      return all;
    };
    const double sweeps = others * number(columns) * number(bands);
    const double rows_copied = static_cast<double>(rows.tiles.size[0] * bands.tiles.size[0]);
    total.steps += sweeps * plan.edge_share * chunks * (tile_copy + tile_copy_row * rows_copied);
  }
  return total;
}

double wait_per_line(const Machine& machine, const LoopPlan& plan, const Walk& walk, double line) {
  const auto& length = walk.length[plan.loops];
  const double rows = plan.m_dim >= 0 ? length[plan.m_dim] : 1,
               columns = plan.n_dim >= 0 ? length[plan.n_dim] : 1;
  if (plan.kernel->dots) return 0;  // columns of B are followed like rows of A
  const double vectors = std::ceil(columns / plan.kernel->lanes);
  const double lines = columns * sizeof(float) / line;  // per reduction step
  const double uops = vectors + rows + rows * vectors;
  const double in_flight =
      std::clamp(machine.costs.window_uops * lines / uops, 1.0, machine.costs.lines_in_flight);
  const double rate = plan.kernel->units_per_cycle(machine.fma_per_cycle) / plan.kernel->lanes;
  const double computing = std::max(rows * vectors / rate, 1.0) / lines;
  return std::max(machine.memory_latency_cycles / in_flight - computing, 0.0);
}

double loop_cycles(const Machine& machine, const LoopPlan& plan, const Walk& walk) {
  double outer = 0;
  for (int i = 1; i < plan.loops; ++i) outer += walk.visits[i];
  return outer * machine.costs.loop_visit + walk.visits[plan.loops] * machine.costs.loop_step;
}

double pack_cycles(const NestFacts& nest, const Machine& machine, const LoopPlan& plan, const Walk& walk) {
  double cycles = 0;
  if (plan.a_pack >= 0)
    cycles += walk.visits[plan.a_pack] * one_pack(nest, machine, plan, walk, Operand::a, plan.a_pack);
  if (plan.b_pack >= 0 && !plan.b_ahead) {
    cycles += walk.visits[plan.b_pack] * one_pack(nest, machine, plan, walk, Operand::b, plan.b_pack);
  }
  return cycles;
}

}  // namespace cortex
