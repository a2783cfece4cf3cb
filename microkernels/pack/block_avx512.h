// What packing is made of, for AVX-512: byte runs and 4-byte transposes.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

CORTEX_INLINE __mmask64 first_bytes(int64_t n) { return (uint64_t{1} << n) - 1; }  // 0 <= n < 64

CORTEX_INLINE void copy_bytes(char* dst, const char* src, int64_t n) {
  for (; n >= 256; n -= 256, dst += 256, src += 256) {
    const __m512i a = _mm512_loadu_si512(src), b = _mm512_loadu_si512(src + 64);
    const __m512i c = _mm512_loadu_si512(src + 128), d = _mm512_loadu_si512(src + 192);
    _mm512_storeu_si512(dst, a);
    _mm512_storeu_si512(dst + 64, b);
    _mm512_storeu_si512(dst + 128, c);
    _mm512_storeu_si512(dst + 192, d);
  }
  for (; n >= 64; n -= 64, dst += 64, src += 64) _mm512_storeu_si512(dst, _mm512_loadu_si512(src));
  if (n > 0) _mm512_mask_storeu_epi8(dst, first_bytes(n), _mm512_maskz_loadu_epi8(first_bytes(n), src));
}

CORTEX_INLINE void zero_bytes(char* dst, int64_t n) {
  for (; n >= 64; n -= 64, dst += 64) _mm512_storeu_si512(dst, _mm512_setzero_si512());
  if (n > 0) _mm512_mask_storeu_epi8(dst, first_bytes(n), _mm512_setzero_si512());
}

constexpr int transpose_side = 16;

// dst[c][r] = src[r][c] for r < rows, c < cols, both at most transpose_side; 4-byte elements.
template <bool Whole>
CORTEX_INLINE void transpose_block(char* dst, int64_t dst_stride, const char* src, int64_t src_stride,
                                   int rows, int cols) {
  const __mmask16 col_mask = static_cast<__mmask16>((1u << cols) - 1u);
  const __mmask16 row_mask = static_cast<__mmask16>((1u << rows) - 1u);
  __m512 a[16], b[16];
  CORTEX_UNROLL
  for (int i = 0; i < 16; ++i) {
    if (Whole) {
      a[i] = _mm512_loadu_ps(src + i * src_stride);
    } else {
      a[i] = i < rows ? _mm512_maskz_loadu_ps(col_mask, src + i * src_stride) : _mm512_setzero_ps();
    }
  }
  CORTEX_UNROLL
  for (int i = 0; i < 16; i += 2) {  // pairs of rows
    b[i] = _mm512_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_ps(a[i], a[i + 1]);
  }
  CORTEX_UNROLL
  for (int i = 0; i < 16; i += 4) {  // quads: a[i+q] holds column q of every 128-bit lane
    a[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(b[i]), _mm512_castps_pd(b[i + 2])));
    a[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(b[i]), _mm512_castps_pd(b[i + 2])));
    a[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(b[i + 1]), _mm512_castps_pd(b[i + 3])));
    a[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(b[i + 1]), _mm512_castps_pd(b[i + 3])));
  }
  CORTEX_UNROLL
  for (int q = 0; q < 4; ++q) {  // gather each column's four lanes
    const __m512 low01 = _mm512_shuffle_f32x4(a[q], a[q + 4], 0x44),
                 high01 = _mm512_shuffle_f32x4(a[q], a[q + 4], 0xee);
    const __m512 low23 = _mm512_shuffle_f32x4(a[q + 8], a[q + 12], 0x44);
    const __m512 high23 = _mm512_shuffle_f32x4(a[q + 8], a[q + 12], 0xee);
    b[q] = _mm512_shuffle_f32x4(low01, low23, 0x88);
    b[q + 4] = _mm512_shuffle_f32x4(low01, low23, 0xdd);
    b[q + 8] = _mm512_shuffle_f32x4(high01, high23, 0x88);
    b[q + 12] = _mm512_shuffle_f32x4(high01, high23, 0xdd);
  }
  CORTEX_UNROLL
  for (int i = 0; i < 16; ++i) {
    if (Whole) {
      _mm512_storeu_ps(dst + i * dst_stride, b[i]);
    } else if (i < cols) {
      _mm512_mask_storeu_ps(dst + i * dst_stride, row_mask, b[i]);
    }
  }
}

}  // namespace
}  // namespace cortex
