// The vector vocabulary that kernel bodies are written in, for AVX-512.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "microkernels/vector/inline.h"

// What accumulate and its like multiply with. A file of kernels of narrow types defines another instruction
// of the same form before it includes this.
#ifndef CORTEX_MULTIPLY_ADD
#define CORTEX_MULTIPLY_ADD "vfmadd231ps"
#endif

namespace cortex {
namespace {

using Vec = __m512;
using Mask = __mmask16;
constexpr int lanes = 16;
constexpr int vector_registers = 32;
constexpr bool masks_are_free = true;  // a masked load or store costs what a plain one does

CORTEX_INLINE Mask first_lanes(int64_t n) { return static_cast<Mask>((1u << n) - 1u); }  // 0 <= n <= lanes
CORTEX_INLINE Vec zero() { return _mm512_setzero_ps(); }
CORTEX_INLINE Vec splat(float x) { return _mm512_set1_ps(x); }
// The element at p in every lane. AMD's Zen 4 takes a third of an FMA's time for a vbroadcastss from memory,
// and none for a vpbroadcastd.
CORTEX_INLINE Vec splat_at(const float* p) {
  Vec v;
  asm("vpbroadcastd %1, %0" : "=v"(v) : "m"(*p));
  return v;
}
CORTEX_INLINE Vec load(const float* p) { return _mm512_loadu_ps(p); }
CORTEX_INLINE Vec load(Mask mask, const float* p) { return _mm512_maskz_loadu_ps(mask, p); }
CORTEX_INLINE void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
CORTEX_INLINE void store_past_caches(float* p, Vec v) { _mm512_stream_ps(p, v); }
CORTEX_INLINE void store(Mask mask, float* p, Vec v) { _mm512_mask_storeu_ps(p, mask, v); }
CORTEX_INLINE Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
CORTEX_INLINE Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
CORTEX_INLINE float sum_of_lanes(Vec v) {
  const __m256 y = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
                   __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  __m128 x = __builtin_shufflevector(y, y, 0, 1, 2, 3) + __builtin_shufflevector(y, y, 4, 5, 6, 7);
  x = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}
// The sums of four vectors' lanes, to four adjacent elements.
CORTEX_INLINE void store_sums(float* out, Vec a, Vec b, Vec c, Vec d) {
  const Vec ab = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                 __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  const Vec cd = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
                 __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  Vec all = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
            __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  all += __builtin_shufflevector(all, all, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  all += __builtin_shufflevector(all, all, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  _mm_storeu_ps(out, __builtin_shufflevector(all, all, 0, 4, 8, 12));
}
CORTEX_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }  // a*b + c
// Keeps v in a register: otherwise a loaded vector may be loaded anew at every use.
CORTEX_INLINE void keep(Vec& v) { asm("" : "+v"(v)); }
// acc += a*b in place: left to the compiler, accumulators move between registers.
CORTEX_INLINE void accumulate(Vec& acc, Vec a, Vec b) {
  asm(CORTEX_MULTIPLY_ADD " %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}
// The second operand when either is NaN.
CORTEX_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
CORTEX_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }

CORTEX_INLINE Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
CORTEX_INLINE Vec abs(Vec x) { return _mm512_abs_ps(x); }
CORTEX_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return _mm512_or_ps(magnitude, _mm512_and_ps(sign, splat(-0.0f)));
}
// a where x has its sign bit set, else b.
CORTEX_INLINE Vec where_negative(Vec x, Vec a, Vec b) {
  return _mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_castps_si512(x)), b, a);
}
CORTEX_INLINE Vec round_nearest(Vec x) {
  return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
CORTEX_INLINE Vec scale_by_power(Vec x, Vec n) { return _mm512_scalef_ps(x, n); }  // x 2^n, n integral
// A vector whose exponents are the lowest bits of x's mantissas.
CORTEX_INLINE Vec low_bits_as_exponent(Vec x) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), 23));
}
CORTEX_INLINE Vec product_error(Vec a, Vec b, Vec ab) {
  return _mm512_fmsub_ps(a, b, ab);
}  // a*b - ab, exactly

// The float at base + scale*offset + Disp, in every lane. Written out so that the addressing mode is ours:
// compilers turn many strided rows into many pointers and spill them.
template <int Disp, int Scale>
CORTEX_INLINE Vec broadcast_at(const char* base, int64_t offset) {
  Vec v;
  if constexpr (Scale == 0) {
    asm("vpbroadcastd %c2(%1), %0" : "=v"(v) : "r"(base), "i"(Disp), CORTEX_READS(base));
  } else {
    asm("vpbroadcastd %c3(%1,%2,%c4), %0"
        : "=v"(v)
        : "r"(base), "r"(offset), "i"(Disp), "i"(Scale), CORTEX_READS(base));
  }
  return v;
}

// The vector at base + scale*offset.
template <int Scale>
CORTEX_INLINE Vec load_at(const char* base, int64_t offset) {
  if constexpr (Scale == 0) return load(reinterpret_cast<const float*>(base));
  Vec v;
  asm("vmovups (%1,%2,%c3), %0" : "=v"(v) : "r"(base), "r"(offset), "i"(Scale), CORTEX_READS(base));
  return v;
}
template <int Scale>
CORTEX_INLINE Vec load_at(Mask mask, const char* base, int64_t offset) {
  if constexpr (Scale == 0) return load(mask, reinterpret_cast<const float*>(base));
  Vec v;
  asm("vmovups (%1,%2,%c3), %0%{%4%}%{z%}"
      : "=v"(v)
      : "r"(base), "r"(offset), "i"(Scale), "Yk"(mask), CORTEX_READS(base));
  return v;
}

// acc += b * (the float at base + scale*offset + Disp): the load rides on the FMA.
constexpr bool has_broadcast_fma = true;
template <int Disp, int Scale>
CORTEX_INLINE void accumulate_at(Vec& acc, const char* base, int64_t offset, Vec b) {
  if constexpr (Scale == 0) {
    asm(CORTEX_MULTIPLY_ADD " %c3(%2)%{1to16%}, %1, %0"
        : "+v"(acc)
        : "v"(b), "r"(base), "i"(Disp), CORTEX_READS(base));
  } else {
    asm(CORTEX_MULTIPLY_ADD " %c4(%2,%3,%c5)%{1to16%}, %1, %0"
        : "+v"(acc)
        : "v"(b), "r"(base), "r"(offset), "i"(Disp), "i"(Scale), CORTEX_READS(base));
  }
}

// The same of the lower half alone; the upper one becomes zero. Where a vector's halves take turns (AMD's Zen
// 4) that is half the time.
constexpr bool has_halves = true;
CORTEX_INLINE void accumulate_half(Vec& acc, Vec a, Vec b) {
  asm(CORTEX_MULTIPLY_ADD " %t2, %t1, %t0" : "+v"(acc) : "v"(a), "v"(b));
}
template <int Disp, int Scale>
CORTEX_INLINE void accumulate_half_at(Vec& acc, const char* base, int64_t offset, Vec b) {
  if constexpr (Scale == 0) {
    asm(CORTEX_MULTIPLY_ADD " %c3(%2)%{1to8%}, %t1, %t0"
        : "+v"(acc)
        : "v"(b), "r"(base), "i"(Disp), CORTEX_READS(base));
  } else {
    asm(CORTEX_MULTIPLY_ADD " %c4(%2,%3,%c5)%{1to8%}, %t1, %t0"
        : "+v"(acc)
        : "v"(b), "r"(base), "r"(offset), "i"(Disp), "i"(Scale), CORTEX_READS(base));
  }
}

CORTEX_INLINE void prefetch_to_write(const char* p) { asm volatile("prefetchw %0" : : "m"(*p)); }

constexpr bool has_fused_row3 = false;

// acc[j] += (the float at base + scale*offset + Disp) * b[j], for three vectors. Seven such rows of four sums
// and the three vectors leave one register: the broadcast's is fixed here, or the compiler spills sums to
// find it.
template <int Disp, int Scale>
CORTEX_INLINE void accumulate3_at(Vec* acc, const char* base, int64_t offset, const Vec* b) {
  if constexpr (Scale == 0) {
    asm("vpbroadcastd %c7(%6), %%zmm31\n\t" CORTEX_MULTIPLY_ADD " %3, %%zmm31, %0\n\t" CORTEX_MULTIPLY_ADD
        " %4, %%zmm31, %1\n\t" CORTEX_MULTIPLY_ADD " %5, %%zmm31, %2"
        : "+v"(acc[0]), "+v"(acc[1]), "+v"(acc[2])
        : "v"(b[0]), "v"(b[1]), "v"(b[2]), "r"(base), "i"(Disp), CORTEX_READS(base)
        : "xmm31");
  } else {
    asm("vpbroadcastd %c8(%6,%7,%c9), %%zmm31\n\t" CORTEX_MULTIPLY_ADD
        " %3, %%zmm31, %0\n\t" CORTEX_MULTIPLY_ADD " %4, %%zmm31, %1\n\t" CORTEX_MULTIPLY_ADD
        " %5, %%zmm31, %2"
        : "+v"(acc[0]), "+v"(acc[1]), "+v"(acc[2])
        : "v"(b[0]), "v"(b[1]), "v"(b[2]), "r"(base), "r"(offset), "i"(Disp), "i"(Scale), CORTEX_READS(base)
        : "xmm31");
  }
}

}  // namespace
}  // namespace cortex
