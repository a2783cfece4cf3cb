// The vector vocabulary that kernel bodies are written in, for AVX2 with FMA.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "microkernels/vector/inline.h"

// What accumulate multiplies with, as in vector_avx512.h.
#ifndef CORTEX_MULTIPLY_ADD
#define CORTEX_MULTIPLY_ADD "vfmadd231ps"
#endif

namespace cortex {
namespace {

using Vec = __m256;
// The address of eight lane masks. They are loaded where they are used: kept in a register they would push
// an accumulator out of the full tiles.
using Mask = const int32_t*;
constexpr int lanes = 8;
constexpr int vector_registers = 16;
constexpr bool masks_are_free = false;

alignas(64) constexpr int32_t mask_source[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
CORTEX_INLINE Mask first_lanes(int64_t n) { return mask_source + lanes - n; }  // 0 <= n <= lanes
CORTEX_INLINE Vec zero() { return _mm256_setzero_ps(); }
CORTEX_INLINE Vec splat(float x) { return _mm256_set1_ps(x); }
// The element at p in every lane. AMD's Zen 4 takes a third of an FMA's time for a vbroadcastss from memory,
// and none for a vpbroadcastd.
CORTEX_INLINE Vec splat_at(const float* p) {
  Vec v;
  asm("vpbroadcastd %1, %0" : "=x"(v) : "m"(*p));
  return v;
}
CORTEX_INLINE Vec load(const float* p) { return _mm256_loadu_ps(p); }
CORTEX_INLINE Vec load(Mask mask, const float* p) {
  Vec v;
  asm("vmovups (%1), %0\n\tvmaskmovps (%2), %0, %0" : "=&x"(v) : "r"(mask), "r"(p), CORTEX_READS(p));
  return v;
}
CORTEX_INLINE void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
CORTEX_INLINE void store_past_caches(float* p, Vec v) { _mm256_stream_ps(p, v); }
CORTEX_INLINE void store(Mask mask, float* p, Vec v) {
  _mm256_maskstore_ps(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask)), v);
}
CORTEX_INLINE Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
CORTEX_INLINE Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
CORTEX_INLINE float sum_of_lanes(Vec v) {
  __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
// The sums of four vectors' lanes, to four adjacent elements.
CORTEX_INLINE void store_sums(float* out, Vec a, Vec b, Vec c, Vec d) {
  const Vec sums = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1)));
}
CORTEX_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }  // a*b + c
// Keeps v in a register: otherwise a loaded vector may be loaded anew at every use.
CORTEX_INLINE void keep(Vec& v) { asm("" : "+x"(v)); }
// acc += a*b in place: left to the compiler, accumulators move between registers.
CORTEX_INLINE void accumulate(Vec& acc, Vec a, Vec b) {
  asm(CORTEX_MULTIPLY_ADD " %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b));
}
// The second operand when either is NaN.
CORTEX_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
CORTEX_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }

CORTEX_INLINE Vec div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
CORTEX_INLINE Vec abs(Vec x) { return _mm256_andnot_ps(splat(-0.0f), x); }
CORTEX_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return _mm256_or_ps(magnitude, _mm256_and_ps(sign, splat(-0.0f)));
}
// a where x has its sign bit set, else b.
CORTEX_INLINE Vec where_negative(Vec x, Vec a, Vec b) { return _mm256_blendv_ps(b, a, x); }
CORTEX_INLINE Vec round_nearest(Vec x) {
  return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// x 2^n for integral n, |n| <= 250. In two steps, so that results beyond the exponent range come out right.
CORTEX_INLINE Vec scale_by_power(Vec x, Vec n) {
  const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1),
                bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), bias), 23);
  return mul(mul(x, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second));
}
// A vector whose exponents are the lowest bits of x's mantissas.
CORTEX_INLINE Vec low_bits_as_exponent(Vec x) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 23));
}
CORTEX_INLINE Vec product_error(Vec a, Vec b, Vec ab) {
  return _mm256_fmsub_ps(a, b, ab);
}  // a*b - ab, exactly

// The float at base + scale*offset + Disp, in every lane. Written out so that the addressing mode is ours:
// compilers turn many strided rows into many pointers and spill them.
template <int Disp, int Scale>
CORTEX_INLINE Vec broadcast_at(const char* base, int64_t offset) {
  Vec v;
  if constexpr (Scale == 0) {
    asm("vpbroadcastd %c2(%1), %0" : "=x"(v) : "r"(base), "i"(Disp), CORTEX_READS(base));
  } else {
    asm("vpbroadcastd %c3(%1,%2,%c4), %0"
        : "=x"(v)
        : "r"(base), "r"(offset), "i"(Disp), "i"(Scale), CORTEX_READS(base));
  }
  return v;
}

// The vector at base + scale*offset.
template <int Scale>
CORTEX_INLINE Vec load_at(const char* base, int64_t offset) {
  if constexpr (Scale == 0) return load(reinterpret_cast<const float*>(base));
  Vec v;
  asm("vmovups (%1,%2,%c3), %0" : "=x"(v) : "r"(base), "r"(offset), "i"(Scale), CORTEX_READS(base));
  return v;
}
template <int Scale>
CORTEX_INLINE Vec load_at(Mask mask, const char* base, int64_t offset) {
  if constexpr (Scale == 0) return load(mask, reinterpret_cast<const float*>(base));
  Vec v;
  asm("vmovups (%4), %0\n\tvmaskmovps (%1,%2,%c3), %0, %0"
      : "=&x"(v)
      : "r"(base), "r"(offset), "i"(Scale), "r"(mask), CORTEX_READS(base));
  return v;
}

CORTEX_INLINE void prefetch_to_write(const char* p) { asm volatile("prefetchw %0" : : "m"(*p)); }

constexpr bool has_broadcast_fma = false;
template <int Disp, int Scale>
CORTEX_INLINE void accumulate_at(Vec& acc, const char* base, int64_t offset, Vec b) {
  accumulate(acc, broadcast_at<Disp, Scale>(base, offset), b);
}

// See vector_avx512.h: halves are not worth kernels of their own here.
constexpr bool has_halves = false;
CORTEX_INLINE void accumulate_half(Vec& acc, Vec a, Vec b) { accumulate(acc, a, b); }
template <int Disp, int Scale>
CORTEX_INLINE void accumulate_half_at(Vec& acc, const char* base, int64_t offset, Vec b) {
  accumulate_at<Disp, Scale>(acc, base, offset, b);
}

// accumulate_at for three vectors. Four such rows, three vectors of B and the broadcast take all sixteen
// registers: the broadcast's is fixed here, or the compiler spills an accumulator to find it.
constexpr bool has_fused_row3 = true;
template <int Disp, int Scale>
CORTEX_INLINE void accumulate3_at(Vec* acc, const char* base, int64_t offset, const Vec* b) {
  if constexpr (Scale == 0) {
    asm("vpbroadcastd %c7(%6), %%ymm15\n\t" CORTEX_MULTIPLY_ADD " %3, %%ymm15, %0\n\t" CORTEX_MULTIPLY_ADD
        " %4, %%ymm15, %1\n\t" CORTEX_MULTIPLY_ADD " %5, %%ymm15, %2"
        : "+x"(acc[0]), "+x"(acc[1]), "+x"(acc[2])
        : "x"(b[0]), "x"(b[1]), "x"(b[2]), "r"(base), "i"(Disp), CORTEX_READS(base)
        : "xmm15");
  } else {
    asm("vpbroadcastd %c8(%6,%7,%c9), %%ymm15\n\t" CORTEX_MULTIPLY_ADD
        " %3, %%ymm15, %0\n\t" CORTEX_MULTIPLY_ADD " %4, %%ymm15, %1\n\t" CORTEX_MULTIPLY_ADD
        " %5, %%ymm15, %2"
        : "+x"(acc[0]), "+x"(acc[1]), "+x"(acc[2])
        : "x"(b[0]), "x"(b[1]), "x"(b[2]), "r"(base), "r"(offset), "i"(Disp), "i"(Scale), CORTEX_READS(base)
        : "xmm15");
  }
}

}  // namespace
}  // namespace cortex
