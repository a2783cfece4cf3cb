// What kernels of bitmaps share: blocks of columns one after the other, a few rows at once.
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

// A block's part of the call.
struct BlockOfColumns {
  const cortex_bitmap_args& x;
  const char* a;
  const cortex_epilogue& epilogue;
  TilePlace at;
};

template <typename Product, int M>
CORTEX_INLINE Weights multiply_columns(const BlockOfColumns& block, Weights w) {
  switch ((block.at.n + lanes - 1) / lanes) {
    case 1:
      return Product::template block<M, 1>(block, w);
    case 2:
      return Product::template block<M, 2>(block, w);
    case 3:
      return Product::template block<M, 3>(block, w);
    default:
      return Product::template block<M, 4>(block, w);
  }
}

// Product::block<M, V>: M rows of V vectors of columns; returns where the weights of the next block begin.
template <typename Product>
CORTEX_INLINE void bitmap_rows(const cortex_bitmap_args& x) {
  static_assert(block_vectors == 4);
  const int64_t c_size = size_of_element(x.epilogue.c_type);
  Weights block{static_cast<const char*>(x.bits), static_cast<const char*>(x.values)};
  cortex_epilogue e = x.epilogue;
  for (int64_t column = 0; column < x.n; column += block_vectors * lanes) {
    const int64_t left = x.n - column;
    Weights next = block;
    if (e.scale_n) e.scale_n = x.epilogue.scale_n + column;
    if (e.compensation_n) e.compensation_n = x.epilogue.compensation_n + column;
    for (int64_t row = 0; row < x.m; row += rows_at_once) {
      const auto* residual = static_cast<const char*>(e.residual);
      const TilePlace at{static_cast<char*>(x.c) + row * x.ldc + column * c_size,
                         x.ldc,
                         left < block_vectors * lanes ? left : block_vectors * lanes,
                         e.bias_n ? e.bias_n + column : nullptr,
                         nullptr,
                         residual ? residual + row * e.ld_residual + column * c_size : nullptr,
                         e.ld_residual};
      const BlockOfColumns part{x, static_cast<const char*>(x.a) + row * x.a_row, e, at};
      const int64_t rows = x.m - row;
      if (rows == 1 || rows_at_once == 1) {
        next = multiply_columns<Product, 1>(part, block);
      } else if (rows == 2 || rows_at_once == 2) {
        next = multiply_columns < Product, rows_at_once < 2 ? 1 : 2 > (part, block);
      } else if (rows == 3) {
        next = multiply_columns < Product, rows_at_once < 3 ? 1 : 3 > (part, block);
      } else {
        next = multiply_columns < Product, rows_at_once < 4 ? 1 : 4 > (part, block);
      }
    }
    block = next;
  }
}

}  // namespace
}  // namespace cortex
