// What packing is made of, for any CPU: byte runs and 4-byte transposes.
#pragma once

#include <stdint.h>
#include <string.h>

#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

CORTEX_INLINE void copy_bytes(char* dst, const char* src, int64_t n) {
  memcpy(dst, src, static_cast<size_t>(n));
}
CORTEX_INLINE void zero_bytes(char* dst, int64_t n) { memset(dst, 0, static_cast<size_t>(n)); }

constexpr int transpose_side = 4;

// dst[c][r] = src[r][c] for r < rows, c < cols, both at most transpose_side; 4-byte elements.
template <bool Whole>
CORTEX_INLINE void transpose_block(char* dst, int64_t dst_stride, const char* src, int64_t src_stride,
                                   int rows, int cols) {
  for (int c = 0; c < (Whole ? transpose_side : cols); ++c) {
    for (int r = 0; r < (Whole ? transpose_side : rows); ++r) {
      memcpy(dst + c * dst_stride + r * 4, src + r * src_stride + c * 4, 4);
    }
  }
}

}  // namespace
}  // namespace cortex
