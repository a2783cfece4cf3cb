// The vector vocabulary that kernel bodies are written in, for any CPU: four lanes of the compiler's own
// vectors (SSE2 on x86-64), no intrinsics.
#pragma once

#include <stdint.h>

#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

typedef float Vec __attribute__((vector_size(16)));
typedef float UnalignedVec __attribute__((vector_size(16), aligned(4), may_alias));
struct Mask {
  int n;
};
constexpr int lanes = 4;
constexpr int vector_registers = 15;  // one more holds products
constexpr bool masks_are_free = false;

CORTEX_INLINE Mask first_lanes(int64_t n) { return {static_cast<int>(n)}; }  // 0 <= n <= lanes
CORTEX_INLINE Vec zero() { return Vec{0, 0, 0, 0}; }
CORTEX_INLINE Vec splat(float x) { return Vec{x, x, x, x}; }
CORTEX_INLINE Vec splat_at(const float* p) { return splat(*p); }
CORTEX_INLINE Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
CORTEX_INLINE Vec load(Mask mask, const float* p) {
  return Vec{mask.n > 0 ? p[0] : 0, mask.n > 1 ? p[1] : 0, mask.n > 2 ? p[2] : 0, mask.n > 3 ? p[3] : 0};
}
CORTEX_INLINE void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
CORTEX_INLINE void store_past_caches(float* p, Vec v) { store(p, v); }
CORTEX_INLINE void store(Mask mask, float* p, Vec v) {
  if (mask.n > 0) p[0] = v[0];
  if (mask.n > 1) p[1] = v[1];
  if (mask.n > 2) p[2] = v[2];
  if (mask.n > 3) p[3] = v[3];
}
CORTEX_INLINE Vec add(Vec a, Vec b) { return a + b; }
CORTEX_INLINE Vec mul(Vec a, Vec b) { return a * b; }
CORTEX_INLINE float sum_of_lanes(Vec v) { return (v[0] + v[1]) + (v[2] + v[3]); }
CORTEX_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }  // rounds once or twice, as the CPU has it
// Keeps v in a register, and the compiler from moving arithmetic across.
CORTEX_INLINE void keep(Vec& v) {
#if defined(__SSE2__)
  asm("" : "+x"(v));
#elif defined(__aarch64__)
  asm("" : "+w"(v));
#else
  (void)v;
#endif
}
CORTEX_INLINE void accumulate(Vec& acc, Vec a, Vec b) {
  acc += a * b;
  keep(acc);
}
// The second operand when either is NaN.
CORTEX_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }
CORTEX_INLINE Vec min(Vec a, Vec b) { return a < b ? a : b; }

typedef uint32_t Bits __attribute__((vector_size(16)));
CORTEX_INLINE Vec div(Vec a, Vec b) { return a / b; }
CORTEX_INLINE Vec abs(Vec x) { return (Vec)((Bits)x & 0x7fffffffu); }
CORTEX_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return (Vec)((Bits)magnitude | ((Bits)sign & 0x80000000u));
}
// a where x has its sign bit set, else b.
CORTEX_INLINE Vec where_negative(Vec x, Vec a, Vec b) {
  const Bits sign = Bits{0, 0, 0, 0} - ((Bits)x >> 31);
  return (Vec)(((Bits)a & sign) | ((Bits)b & ~sign));
}
// |x| < 2^22: the sum's last mantissa bit counts ones.
constexpr float round_shift = 12582912.0f;
CORTEX_INLINE Vec round_nearest(Vec x) { return (x + round_shift) - round_shift; }
// x 2^n for integral n, |n| <= 250. In two steps, so that results beyond the exponent range come out right.
CORTEX_INLINE Vec scale_by_power(Vec x, Vec n) {
  const Bits whole = (Bits)(n + round_shift) - 0x4b400000u + 256u;  // n + 256, which halves without a sign
  const Bits half = whole >> 1;
  const Bits first = (half - 128u + 127u) << 23, second = (whole - half - 128u + 127u) << 23;
  return x * (Vec)first * (Vec)second;
}
// A vector whose exponents are the lowest bits of x's mantissas.
CORTEX_INLINE Vec low_bits_as_exponent(Vec x) { return (Vec)((Bits)x << 23); }
// a*b - ab: exact by splitting the factors into halves whose products are (Dekker).
CORTEX_INLINE Vec product_error(Vec a, Vec b, Vec ab) {
  const Vec a_high = (Vec)((Bits)a & 0xfffff000u), b_high = (Vec)((Bits)b & 0xfffff000u);
  const Vec a_low = a - a_high, b_low = b - b_high;
  return ((a_high * b_high - ab) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

template <int Disp, int Scale>
CORTEX_INLINE Vec broadcast_at(const char* base, int64_t offset) {
  return splat(*reinterpret_cast<const float*>(base + Scale * offset + Disp));
}

// The vector at base + scale*offset.
template <int Scale>
CORTEX_INLINE Vec load_at(const char* base, int64_t offset) {
  return load(reinterpret_cast<const float*>(base + Scale * offset));
}
template <int Scale>
CORTEX_INLINE Vec load_at(Mask mask, const char* base, int64_t offset) {
  return load(mask, reinterpret_cast<const float*>(base + Scale * offset));
}

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

CORTEX_INLINE void prefetch_to_write(const char* p) { __builtin_prefetch(p, 1); }

constexpr bool has_fused_row3 = false;

}  // namespace
}  // namespace cortex
