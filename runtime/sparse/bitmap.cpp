#include "runtime/sparse/bitmap.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "graph/lower/lower.h"
#include "microkernels/catalogue/catalogue.h"
#include "runtime/epilogue.h"
#include "runtime/sparse/bitmap_estimate.h"

namespace cortex {
namespace {

// f(block, its mask's byte, the bit there, weight) for every weight, in the order of the bits.
template <typename F>
void for_each_weight(const BitmapKernel& k, const WeightsView& weights, F f) {
  int64_t mask = 0;
  for (int64_t b = 0; b * k.block < k.n; ++b) {
    const int64_t first = b * k.block, columns = std::min<int64_t>(k.block, k.n - first);
    for (int64_t step = 0; step < k.k; step += k.unit, mask += k.mask_bytes()) {
      const int64_t unit = std::min<int64_t>(k.unit, k.k - step);
      for (int64_t j = 0; j < columns; ++j) {
        for (int64_t i = 0; i < unit; ++i) {
          const int64_t bit = j * k.unit + i;
          f(b, mask + bit / 8, bit % 8, weights.at(first + j, step + i, 0));
        }
      }
    }
  }
}

void find_bits(BitmapKernel& k, const WeightsView& weights) {
  const int64_t blocks = ceil_div(k.n, int64_t{k.block});
  k.bits.assign(static_cast<std::size_t>(blocks * k.units() * k.mask_bytes()), 0);
  k.value_start.assign(static_cast<std::size_t>(blocks) + 1, 0);
  for_each_weight(k, weights, [&](int64_t b, int64_t byte, int64_t bit, float weight) {
    if (weight == 0.0f) return;
    uint8_t& mask = k.bits[static_cast<std::size_t>(byte)];
    mask = static_cast<uint8_t>(mask | 1 << bit);
    ++k.value_start[static_cast<std::size_t>(b) + 1];
  });
  for (std::size_t b = 1; b < k.value_start.size(); ++b) k.value_start[b] += k.value_start[b - 1];
}

// Bits, values, of every column what it takes back.
void place_packed(BitmapKernel& k) {
  k.values_at = round_up(static_cast<int64_t>(k.bits.size()), 64);
  // What the last vector reads beyond the values.
  k.compensation_at = k.values_at + round_up(k.value_bytes * k.value_start.back(), 64) + 64;
  k.packed_bytes = k.compensation_at + (k.zero ? 4 * k.n : 0);
}

int64_t scratch_bytes(const BitmapKernel& k) {
  if (k.src == DataType::bf16) return round_up(4 * k.m * k.k, 64);
  const bool moved = k.src == DataType::s8 || (k.a_transposed && k.m > 1) || k.k % k.unit != 0;
  return k.unit > 1 && moved ? round_up(k.m * k.unit * k.units(), 64) : 0;
}

void write_value(char* to, int bytes, float weight) {
  if (bytes == 1) {
    *to = static_cast<char>(static_cast<int>(weight));
  } else if (bytes == 2) {
    const auto half = static_cast<uint16_t>(std::bit_cast<uint32_t>(weight) >> 16);
    std::memcpy(to, &half, 2);
  } else {
    std::memcpy(to, &weight, 4);
  }
}

}  // namespace

std::string BitmapKernel::text() const {
  return fmt::format("sparse: bitmap and values, {} of {} weights, {} blocks of {} columns",
                     value_start.back(), n * k, blocks(), block);
}

Result<BitmapKernel> make_bitmap_kernel(const Problem& problem, const WeightsView& weights, Isa isa,
                                        const Machine& machine) {
  if (!problem.is_matmul())
    return unsupported(fmt::format("a bitmap of weights for {}: it is for matmuls alone; use sparse_share 0",
                                   to_string(problem)));
  if (Result<ConvProblem> one_matrix = as_channel_major(problem); !one_matrix) return one_matrix.error();
  const MatmulProblem& matmul = problem.matmul();
  const BitmapFunctions& f = bitmap_functions(problem.src, isa);
  BitmapKernel k;
  k.m = matmul.m, k.n = matmul.n, k.k = matmul.k;
  k.src = problem.src;
  k.a_transposed = matmul.a_transposed;
  k.value_bytes = static_cast<int>(size_of(problem.wei));
  k.dst_bytes = static_cast<int>(size_of(problem.dst));
  if (k.value_bytes == 1) k.unit = 4, k.zero = a_zero(problem);
  k.epilogue = constant_epilogue(problem.epilogue);
  k.epilogue.c_type = element_code(dtype_name(problem.dst));
  k.isa = f.isa;
  k.block = CORTEX_BITMAP_VECTORS * f.lanes;
  k.name = f.name;
  k.run = f.run;
  find_bits(k, weights);
  place_packed(k);
  k.scratch_bytes = scratch_bytes(k);
  k.seconds = estimate_bitmap(k, f, machine);
  k.outrun = f.outrun;
  return k;
}

Status pack_bitmap(const BitmapKernel& k, const WeightsView& weights, void* packed) {
  char* const out = static_cast<char*>(packed);
  std::memcpy(out, k.bits.data(), k.bits.size());
  std::memset(out + k.bits.size(), 0, static_cast<std::size_t>(k.packed_bytes) - k.bits.size());
  char* value = out + k.values_at;
  int64_t others = 0;
  for_each_weight(k, weights, [&](int64_t, int64_t byte, int64_t bit, float weight) {
    if (k.bits[static_cast<std::size_t>(byte)] >> bit & 1) {
      write_value(value, k.value_bytes, weight);
      value += k.value_bytes;
    } else {
      others += weight != 0.0f;
    }
  });
  if (k.zero) take_back_zero(k.zero, weights, reinterpret_cast<int32_t*>(out + k.compensation_at));
  if (others == 0) return Status::success();
  return invalid_argument(
      fmt::format("pack_weights: {} weights are not zero where those of the plan's sparse_weights are: make "
                  "a plan for these weights",
                  others));
}

}  // namespace cortex
