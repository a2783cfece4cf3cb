// What packing is made of, for AVX2: byte runs and 4-byte transposes.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

CORTEX_INLINE __m256i load32(const char* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
CORTEX_INLINE void store32(char* p, __m256i v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }

// Runs shorter than a vector: two halves that overlap.
template <typename Word>
CORTEX_INLINE void copy_two(char* dst, const char* src, int64_t n) {
  Word first, last;
  memcpy(&first, src, sizeof(Word));
  memcpy(&last, src + n - sizeof(Word), sizeof(Word));
  memcpy(dst, &first, sizeof(Word));
  memcpy(dst + n - sizeof(Word), &last, sizeof(Word));
}

CORTEX_INLINE void copy_bytes(char* dst, const char* src, int64_t n) {
  if (n >= 32) {
    const char* const src_end = src + n;
    char* const dst_end = dst + n;
    for (; n >= 128; n -= 128, dst += 128, src += 128) {
      const __m256i a = load32(src), b = load32(src + 32), c = load32(src + 64), d = load32(src + 96);
      store32(dst, a);
      store32(dst + 32, b);
      store32(dst + 64, c);
      store32(dst + 96, d);
    }
    for (; n >= 32; n -= 32, dst += 32, src += 32) store32(dst, load32(src));
    if (n > 0) store32(dst_end - 32, load32(src_end - 32));
  } else if (n >= 16) {
    copy_two<__m128i>(dst, src, n);
  } else if (n >= 8) {
    copy_two<uint64_t>(dst, src, n);
  } else if (n >= 4) {
    copy_two<uint32_t>(dst, src, n);
  } else {
    for (int64_t i = 0; i < n; ++i) dst[i] = src[i];
  }
}

CORTEX_INLINE void zero_bytes(char* dst, int64_t n) {
  for (; n >= 32; n -= 32, dst += 32) store32(dst, _mm256_setzero_si256());
  for (; n >= 4; n -= 4, dst += 4) memset(dst, 0, 4);
  for (; n > 0; --n, ++dst) *dst = 0;
}

constexpr int transpose_side = 8;

alignas(64) constexpr int32_t lane_mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

// dst[c][r] = src[r][c] for r < rows, c < cols, both at most transpose_side; 4-byte elements.
template <bool Whole>
CORTEX_INLINE void transpose_block(char* dst, int64_t dst_stride, const char* src, int64_t src_stride,
                                   int rows, int cols) {
  const __m256i col_mask = load32(reinterpret_cast<const char*>(lane_mask + 8 - cols));
  const __m256i row_mask = load32(reinterpret_cast<const char*>(lane_mask + 8 - rows));
  __m256 a[8], b[8];
  CORTEX_UNROLL
  for (int i = 0; i < 8; ++i) {
    const float* row = reinterpret_cast<const float*>(src + i * src_stride);
    if (Whole) {
      a[i] = _mm256_loadu_ps(row);
    } else {
      a[i] = i < rows ? _mm256_maskload_ps(row, col_mask) : _mm256_setzero_ps();
    }
  }
  CORTEX_UNROLL
  for (int i = 0; i < 8; i += 2) {  // pairs of rows
    b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
  }
  CORTEX_UNROLL
  for (int i = 0; i < 8; i += 4) {  // quads: a[i+q] holds columns q and q+4
    a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
    a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
  CORTEX_UNROLL
  for (int q = 0; q < 4; ++q) {
    b[q] = _mm256_permute2f128_ps(a[q], a[q + 4], 0x20);
    b[q + 4] = _mm256_permute2f128_ps(a[q], a[q + 4], 0x31);
  }
  CORTEX_UNROLL
  for (int i = 0; i < 8; ++i) {
    float* row = reinterpret_cast<float*>(dst + i * dst_stride);
    if (Whole) {
      _mm256_storeu_ps(row, b[i]);
    } else if (i < cols) {
      _mm256_maskstore_ps(row, row_mask, b[i]);
    }
  }
}

}  // namespace
}  // namespace cortex
