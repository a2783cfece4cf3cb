// A few rows times a matrix of sparse weights, held as a bit per weight and the weights that are not zero:
// columns in the lanes, weights are expanded in registers and read once. The ISA's header says how:
// `expanded(values, bits)`, and the number of bits, `count_of(bits)`.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"
#include "microkernels/brgemm/finish_narrow.h"

namespace cortex {
namespace {

constexpr int block_vectors = CORTEX_BITMAP_VECTORS;
// Rows that share an expanded weight: with the sums of a block they stay in registers.
constexpr int rows_at_once = vector_registers >= 32 ? 4 : vector_registers >= 16 ? 2 : 1;

struct Weights {
  const char* bits;    // of a step of k, a mask of a block's columns
  const char* values;  // those that are not zero, in the same order
};

// M rows of one block of V vectors of columns.
template <int M, int V, typename Value>
__attribute__((noinline)) Weights expand_block(const cortex_bitmap_args& x, const char* a, Weights w,
                                               const TilePlace& at) {
  constexpr int64_t mask_bytes = block_vectors * lanes / 8;
  RegisterTile<M, V, true> tile;
  tile.mask = first_lanes(at.n - (V - 1) * lanes);
  tile.each([](Vec, int, int) CORTEX_LAMBDA { return zero(); });
  const auto* values = reinterpret_cast<const Value*>(w.values);
  const char* bits = w.bits;
#pragma GCC unroll 1
  for (int64_t k = x.k; k > 0; --k, bits += mask_bytes, a += x.a_column) {
    uint64_t mask = 0;
    __builtin_memcpy(&mask, bits, mask_bytes);
    __builtin_prefetch(values + 1024 / sizeof(Value));
    Vec b[V];
    CORTEX_UNROLL
    for (int j = 0; j < V; ++j) {
      const auto lane_bits = static_cast<unsigned>(mask >> (j * lanes) & ((1u << lanes) - 1));
      b[j] = expanded(values, lane_bits);
      values += count_of(lane_bits);
    }
    CORTEX_UNROLL
    for (int i = 0; i < M; ++i) {
      const Vec row = splat_at(reinterpret_cast<const float*>(a + i * x.a_row));
      CORTEX_UNROLL
      for (int j = 0; j < V; ++j) accumulate(tile.v[i][j], b[j], row);
    }
  }
  finish_narrow<false>(tile, x.epilogue, at);
  return {bits, reinterpret_cast<const char*>(values)};
}

template <int M, typename Value>
CORTEX_INLINE Weights expand_columns(const cortex_bitmap_args& x, const char* a, Weights w,
                                     const TilePlace& at) {
  switch ((at.n + lanes - 1) / lanes) {
    case 1:
      return expand_block<M, 1, Value>(x, a, w, at);
    case 2:
      return expand_block<M, 2, Value>(x, a, w, at);
    case 3:
      return expand_block<M, 3, Value>(x, a, w, at);
    default:
      return expand_block<M, 4, Value>(x, a, w, at);
  }
}

template <typename Value>
CORTEX_INLINE void bitmap_rows(const cortex_bitmap_args& x) {
  static_assert(block_vectors == 4);
  const int64_t c_size = size_of_element(x.epilogue.c_type);
  Weights block{static_cast<const char*>(x.bits), static_cast<const char*>(x.values)};
  for (int64_t column = 0; column < x.n; column += block_vectors * lanes) {
    const int64_t left = x.n - column;
    Weights next = block;
    for (int64_t row = 0; row < x.m; row += rows_at_once) {
      const auto* residual = static_cast<const char*>(x.epilogue.residual);
      const TilePlace at{static_cast<char*>(x.c) + row * x.ldc + column * c_size,
                         x.ldc,
                         left < block_vectors * lanes ? left : block_vectors * lanes,
                         x.epilogue.bias_n ? x.epilogue.bias_n + column : nullptr,
                         nullptr,
                         residual ? residual + row * x.epilogue.ld_residual + column * c_size : nullptr,
                         x.epilogue.ld_residual};
      const char* const a = static_cast<const char*>(x.a) + row * x.a_row;
      const int64_t rows = x.m - row;
      if (rows == 1 || rows_at_once == 1) {
        next = expand_columns<1, Value>(x, a, block, at);
      } else if (rows == 2 || rows_at_once == 2) {
        next = expand_columns < rows_at_once < 2 ? 1 : 2, Value > (x, a, block, at);
      } else if (rows == 3) {
        next = expand_columns < rows_at_once < 3 ? 1 : 3, Value > (x, a, block, at);
      } else {
        next = expand_columns < rows_at_once < 4 ? 1 : 4, Value > (x, a, block, at);
      }
    }
    block = next;
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BITMAP(isa)                                                                          \
  extern "C" void cortex_bitmap_f32_##isa(const cortex_bitmap_args* x) { cortex::bitmap_rows<float>(*x); } \
  extern "C" void cortex_bitmap_bf16_##isa(const cortex_bitmap_args* x) { cortex::bitmap_rows<uint16_t>(*x); }
