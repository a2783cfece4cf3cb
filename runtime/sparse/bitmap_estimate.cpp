#include "runtime/sparse/bitmap_estimate.h"

#include <algorithm>
#include <span>

namespace cortex {
namespace {

constexpr int wide = CORTEX_SPARSE_LANES_AVX512, medium = CORTEX_SPARSE_LANES_AVX2,
              narrow = CORTEX_SPARSE_LANES_BASELINE;
#define CORTEX_BITMAP(type, isa) \
  "bitmap_" #type "_" #isa, CORTEX_WHERE_BUILT(isa, cortex_bitmap_##type##_##isa)
// Measured alone on Granite Rapids, weights in L2: on AVX-512 a mask and two shuffles share one port;
// elsewhere tables and blends, or lane by lane.
constexpr BitmapFunctions of_f32[] = {{Isa::avx512, CORTEX_BITMAP(f32, avx512), wide, 4, 3, 2, 0},
                                      {Isa::avx2, CORTEX_BITMAP(f32, avx2), medium, 2, 2.5, 2, 0},
                                      {Isa::baseline, CORTEX_BITMAP(f32, baseline), narrow, 1, 10, 2, 0}};
constexpr BitmapFunctions of_bf16[] = {{Isa::avx512, CORTEX_BITMAP(bf16, avx512), wide, 4, 3, 2, 0},
                                       {Isa::avx2, CORTEX_BITMAP(bf16, avx2), medium, 2, 2.5, 2, 0},
                                       {Isa::baseline, CORTEX_BITMAP(bf16, baseline), narrow, 1, 10, 2, 0}};
// Measured alone on Zen 4, weights in L2: 64, 32 or 16 of them in a vector. Tables give eight at a time: from
// memory, too, dense kernels are 1.3 to 3 times as fast.
constexpr BitmapFunctions of_bytes_vbmi2 = {
    Isa::avx512vnni, CORTEX_BITMAP(u8s8, avx512vbmi2), wide, 4, 3.5, 1, 0.95};
constexpr BitmapFunctions of_bytes[] = {
    {Isa::avx2vnni, CORTEX_BITMAP(u8s8, avx2vnni), medium, 2, 7.2, 1, 0.5, true},
    {Isa::avx2, CORTEX_BITMAP(u8s8, avx2), medium, 2, 7.6, 1, 0.9, true},
    {Isa::baseline, CORTEX_BITMAP(u8s8, baseline), narrow, 1, 46, 1, 0, true}};
#undef CORTEX_BITMAP

// Bytes a cycle that one core reads of what lies where `bytes` of weights fit, hot.
double read_rate(const Machine& machine, double bytes) {
  for (const CacheLevel& cache : machine.caches) {
    const double usable = cache.shared_by > 1 ? machine.costs.usable_shared : machine.costs.usable_cache;
    if (bytes <= usable * static_cast<double>(cache.bytes)) return cache.read_bytes_per_cycle;
  }
  return machine.memory_read_bytes_per_cycle;
}

}  // namespace

const BitmapFunctions& bitmap_functions(DataType src, Isa level) {
  const auto best = [&](std::span<const BitmapFunctions> all) -> const BitmapFunctions& {
    return *std::find_if(all.begin(), all.end() - 1,
                         [&](const BitmapFunctions& f) { return runs(level, f.isa); });
  };
  if (src == DataType::f32) return best(of_f32);
  if (src == DataType::bf16) return best(of_bf16);
  return runs_vbmi2(level) ? of_bytes_vbmi2 : best(of_bytes);
}

// Arithmetic and transfers overlap, the longer shows.
double estimate_bitmap(const BitmapKernel& k, const BitmapFunctions& f, const Machine& machine) {
  const auto vectors = static_cast<double>(ceil_div(k.n, int64_t{f.lanes}) * k.units());
  const auto rows = static_cast<double>(k.m), passes = static_cast<double>(ceil_div(k.m, int64_t{f.rows}));
  const double row = f.row > 0 ? f.row : 1 / machine.fma_per_cycle;
  const double compute = vectors * (passes * f.expand + std::max(0.0, rows - f.rows_within * passes) * row);
  const auto bytes = static_cast<double>(k.packed_bytes);
  const double transfer = bytes / read_rate(machine, bytes);
  constexpr double per_block = 60;  // sums to C
  // Elements of a put where kernels want them; others go by vectors.
  const double moved = k.unit > 1 && k.a_transposed && k.m > 1 ? 1.7 * rows * static_cast<double>(k.k) : 0;
  const double cycles = std::max(compute, transfer) + 0.1 * std::min(compute, transfer) +
                        per_block * passes * static_cast<double>(k.blocks()) + moved;
  return cycles / (machine.ghz * 1e9);
}

}  // namespace cortex
