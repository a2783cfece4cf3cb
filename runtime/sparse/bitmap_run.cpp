// A task's share of the work.
#include <algorithm>
#include <cstring>

#include "runtime/sparse/bitmap.h"
#include "support/bf16.h"

namespace cortex {
namespace {

void widen(const char* src, float* a, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, src + 2 * i, 2);
    a[i] = from_bf16(half);
  }
}

// Rows of whole units; s8 becomes u8.
void copy_bytes(const BitmapKernel& k, const char* src, char* a) {
  const char flip = k.src == DataType::s8 ? static_cast<char>(0x80) : 0;
  const int64_t ld = k.unit * k.units(), row = k.a_transposed ? 1 : k.k, column = k.a_transposed ? k.m : 1;
  for (int64_t i = 0; i < k.m; ++i, a += ld) {
    const char* const from = src + i * row;
    if (column == 1) {
      for (int64_t l = 0; l < k.k; ++l) a[l] = from[l] ^ flip;
    } else {
      for (int64_t l = 0; l < k.k; ++l) a[l] = from[l * column] ^ flip;
    }
    std::memset(a + k.k, 0, static_cast<std::size_t>(ld - k.k));  // times zero weights: defined, no more
  }
}

// a as kernels want it.
void place_a(const BitmapKernel& k, const SparseCall& call, void* scratch, cortex_bitmap_args& x) {
  x.a = k.scratch_bytes ? scratch : call.src;
  if (k.unit > 1) {
    if (k.scratch_bytes) copy_bytes(k, call.src, static_cast<char*>(scratch));
    x.a_row = k.unit * k.units();
    x.a_column = k.unit;
    return;
  }
  if (k.src == DataType::bf16) widen(call.src, static_cast<float*>(scratch), k.m * k.k);
  x.a_row = k.a_transposed ? 4 : 4 * k.k;
  x.a_column = k.a_transposed ? 4 * k.m : 4;
}

}  // namespace

void run_bitmap(const BitmapKernel& k, const SparseCall& call, void* scratch, int task, int tasks) {
  const int64_t first = k.blocks() * task / tasks, end = k.blocks() * (task + 1) / tasks;
  if (first == end) return;
  cortex_bitmap_args x{};
  place_a(k, call, scratch, x);
  const int64_t column = first * k.block;
  x.bits = call.packed + first * k.units() * k.mask_bytes();
  x.values = call.packed + k.values_at + k.value_bytes * k.value_start[static_cast<std::size_t>(first)];
  x.m = k.m;
  x.n = std::min(end * k.block, k.n) - column;
  x.k = k.units();
  x.c = call.dst + k.dst_bytes * column;
  x.ldc = k.dst_bytes * k.n;
  x.epilogue = k.epilogue;
  if (call.bias) x.epilogue.bias_n = call.bias + column;
  if (call.scale) x.epilogue.scale_n = call.scale + column;
  if (k.zero)
    x.epilogue.compensation_n = reinterpret_cast<const int32_t*>(call.packed + k.compensation_at) + column;
  if (call.residual) x.epilogue.residual = call.residual + k.dst_bytes * column;
  x.epilogue.ld_residual = x.ldc;
  k.run(&x);
}

}  // namespace cortex
