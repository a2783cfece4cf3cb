#include "runtime/sparse/bitmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "graph/lower/lower.h"
#include "microkernels/catalogue/catalogue.h"
#include "runtime/epilogue.h"
#include "support/bf16.h"
#include "support/checked.h"

namespace cortex {
namespace {

struct Functions {
  Isa isa;
  cortex_bitmap_fn f32, bf16;
  int lanes, rows;  // that one pass over the weights serves
  double expand;    // cycles of a vector of weights
};
// Measured alone on Granite Rapids, weights in L2: on AVX-512 a mask and two shuffles share one port;
// elsewhere tables and blends, or lane by lane.
constexpr Functions functions[] = {
    {Isa::avx512, cortex_bitmap_f32_avx512, cortex_bitmap_bf16_avx512, CORTEX_SPARSE_LANES_AVX512, 4, 3},
    {Isa::avx2, cortex_bitmap_f32_avx2, cortex_bitmap_bf16_avx2, CORTEX_SPARSE_LANES_AVX2, 2, 2.5},
    {Isa::baseline, cortex_bitmap_f32_baseline, cortex_bitmap_bf16_baseline, CORTEX_SPARSE_LANES_BASELINE, 1,
     10}};

// Bytes a cycle that one core reads of what lies where `bytes` of weights fit, hot.
double read_rate(const Machine& machine, double bytes) {
  for (const CacheLevel& cache : machine.caches) {
    const double usable = cache.shared_by > 1 ? machine.costs.usable_shared : machine.costs.usable_cache;
    if (bytes <= usable * static_cast<double>(cache.bytes)) return cache.read_bytes_per_cycle;
  }
  return machine.memory_read_bytes_per_cycle;
}

// One thread's cycles: arithmetic and transfers overlap, the longer shows.
double estimate(const BitmapKernel& k, const Functions& f, const Machine& machine) {
  const double vectors = static_cast<double>(ceil_div(k.n, int64_t{f.lanes}) * k.k);
  const auto passes = static_cast<double>(ceil_div(k.m, int64_t{f.rows}));
  const double compute = vectors * (passes * f.expand + std::max(0.0, static_cast<double>(k.m) - 2 * passes) /
                                                            machine.fma_per_cycle);
  const auto bytes = static_cast<double>(k.packed_bytes);
  const double transfer = bytes / read_rate(machine, bytes);
  constexpr double per_block = 60;  // sums to C
  return std::max(compute, transfer) + 0.1 * std::min(compute, transfer) +
         per_block * passes * static_cast<double>(k.blocks());
}

void find_bits(BitmapKernel& k, const WeightsView& weights) {
  const int64_t blocks = ceil_div(k.n, int64_t{k.block});
  k.bits.assign(static_cast<std::size_t>(blocks * k.k * k.mask_bytes()), 0);
  uint8_t* mask = k.bits.data();
  int64_t values = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    k.value_start.push_back(values);
    const int64_t columns = std::min<int64_t>(k.block, k.n - b * k.block);
    for (int64_t step = 0; step < k.k; ++step, mask += k.mask_bytes()) {
      for (int64_t j = 0; j < columns; ++j) {
        const bool kept = weights.at(b * k.block + j, step, 0) != 0.0f;
        mask[j / 8] = static_cast<uint8_t>(mask[j / 8] | kept << j % 8);
        values += kept;
      }
    }
  }
  k.value_start.push_back(values);
}

}  // namespace

std::string BitmapKernel::text() const {
  return fmt::format("sparse: bitmap and values, {} of {} weights, {} blocks of {} columns",
                     value_start.back(), n * k, blocks(), block);
}

Result<BitmapKernel> make_bitmap_kernel(const Problem& problem, const WeightsView& weights, Isa isa,
                                        const Machine& machine) {
  const auto no = [&](const char* why) {
    return unsupported(fmt::format("a bitmap of weights for {}: {}", to_string(problem), why));
  };
  if (!problem.is_matmul()) return no("it is for matmuls alone; use sparse_share 0");
  if (problem.src != problem.wei || sum_type(problem.src) != DataType::f32)
    return no("there are kernels for f32 and bf16 alone; use sparse_share 0");
  if (Result<ConvProblem> one_matrix = as_channel_major(problem); !one_matrix) return one_matrix.error();
  const MatmulProblem& matmul = problem.matmul();
  const Functions& f = *std::find_if(std::begin(functions), std::end(functions) - 1,
                                     [&](const Functions& x) { return runs(isa, x.isa); });
  BitmapKernel k;
  k.m = matmul.m, k.n = matmul.n, k.k = matmul.k;
  k.a_transposed = matmul.a_transposed;
  k.a_bf16 = problem.src == DataType::bf16;
  k.value_bytes = static_cast<int>(size_of(problem.wei));
  k.dst_bytes = static_cast<int>(size_of(problem.dst));
  k.epilogue = constant_epilogue(problem.epilogue);
  k.epilogue.c_type = element_code(dtype_name(problem.dst));
  k.isa = f.isa;
  k.block = CORTEX_BITMAP_VECTORS * f.lanes;
  k.run = k.a_bf16 ? f.bf16 : f.f32;
  find_bits(k, weights);
  k.values_at = round_up(static_cast<int64_t>(k.bits.size()), 64);
  // What the last vector reads beyond the values.
  k.packed_bytes = k.values_at + round_up(k.value_bytes * k.value_start.back(), 64) + 64;
  k.scratch_bytes = k.a_bf16 ? round_up(4 * k.m * k.k, 64) : 0;
  k.seconds = estimate(k, f, machine) / (machine.ghz * 1e9);
  return k;
}

Status pack_bitmap(const BitmapKernel& k, const WeightsView& weights, void* packed) {
  char* const out = static_cast<char*>(packed);
  std::memcpy(out, k.bits.data(), k.bits.size());
  std::memset(out + k.bits.size(), 0, static_cast<std::size_t>(k.packed_bytes) - k.bits.size());
  char* value = out + k.values_at;
  const uint8_t* mask = k.bits.data();
  int64_t others = 0;
  for (int64_t b = 0; b < k.blocks(); ++b) {
    const int64_t columns = std::min<int64_t>(k.block, k.n - b * k.block);
    for (int64_t step = 0; step < k.k; ++step, mask += k.mask_bytes()) {
      for (int64_t j = 0; j < columns; ++j) {
        const float weight = weights.at(b * k.block + j, step, 0);
        if (!(mask[j / 8] >> j % 8 & 1)) {
          others += weight != 0.0f;
          continue;
        }
        if (k.value_bytes == 2) {
          const auto half = static_cast<uint16_t>(std::bit_cast<uint32_t>(weight) >> 16);
          std::memcpy(value, &half, 2);
        } else {
          std::memcpy(value, &weight, 4);
        }
        value += k.value_bytes;
      }
    }
  }
  if (others == 0) return Status::success();
  return invalid_argument(
      fmt::format("pack_weights: {} weights are not zero where those of the plan's sparse_weights are: make "
                  "a plan for these weights",
                  others));
}

void run_bitmap(const BitmapKernel& k, const SparseCall& call, void* scratch, int task, int tasks) {
  const int64_t first = k.blocks() * task / tasks, end = k.blocks() * (task + 1) / tasks;
  if (first == end) return;
  cortex_bitmap_args x{};
  x.a = call.src;
  if (k.a_bf16) {
    auto* const a = static_cast<float*>(scratch);
    for (int64_t i = 0; i < k.m * k.k; ++i) {
      uint16_t half;
      std::memcpy(&half, call.src + 2 * i, 2);
      a[i] = from_bf16(half);
    }
    x.a = a;
  }
  x.a_row = k.a_transposed ? 4 : 4 * k.k;
  x.a_column = k.a_transposed ? 4 * k.m : 4;
  const int64_t column = first * k.block;
  x.bits = call.packed + first * k.k * k.mask_bytes();
  x.values = call.packed + k.values_at + k.value_bytes * k.value_start[static_cast<std::size_t>(first)];
  x.m = k.m;
  x.n = std::min(end * k.block, k.n) - column;
  x.k = k.k;
  x.c = call.dst + k.dst_bytes * column;
  x.ldc = k.dst_bytes * k.n;
  x.epilogue = k.epilogue;
  if (call.bias) x.epilogue.bias_n = call.bias + column;
  if (call.residual) x.epilogue.residual = call.residual + k.dst_bytes * column;
  x.epilogue.ld_residual = x.ldc;
  k.run(&x);
}

}  // namespace cortex
