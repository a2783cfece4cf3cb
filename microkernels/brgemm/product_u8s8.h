// The product of 8-bit integers: four of u8 times four of s8, added to an s32, exactly. With CORTEX_HAS_DOT
// the vocabulary's multiply instruction is vpdpbusd; else bytes are widened to 16 bits and multiplied in
// pairs: 255 * 128 * 2 fits 32 bits, where the 16-bit sums of vpmaddubsw would saturate.
#pragma once

#include "microkernels/brgemm/finish_narrow.h"

namespace cortex {
namespace {

struct Product : NarrowProduct<true> {
  // vpdpbusd's unsigned operand is a register: A's broadcast cannot ride on it.
  static constexpr bool has_broadcast = false;
#ifdef CORTEX_HAS_DOT
  static constexpr int extra_registers(int) { return 0; }
  static constexpr bool has_fused_row3 = cortex::has_fused_row3;
  static constexpr bool has_halves = cortex::has_halves;
  CORTEX_INLINE static void accumulate(Vec& sum, Vec a, Vec b) { cortex::accumulate(sum, a, b); }
  CORTEX_INLINE static void accumulate_half(Vec& sum, Vec a, Vec b) { cortex::accumulate_half(sum, a, b); }
#else
  static constexpr bool has_halves = false;
  CORTEX_INLINE static void accumulate_half(Vec& sum, Vec a, Vec b) { accumulate(sum, a, b); }
  // Both halves of B and of A are there at once, and a mask.
  static constexpr int extra_registers(int n) { return n + 3; }
  static constexpr bool has_fused_row3 = false;
  typedef int16_t Signed __attribute__((vector_size(sizeof(Vec))));
  typedef uint16_t Unsigned __attribute__((vector_size(sizeof(Vec))));
  CORTEX_INLINE static Vec pair_sums(Signed a, Signed b) {
#if defined(__AVX512BW__)
    return _mm512_castsi512_ps(_mm512_madd_epi16((__m512i)a, (__m512i)b));
#elif defined(__AVX2__)
    return _mm256_castsi256_ps(_mm256_madd_epi16((__m256i)a, (__m256i)b));
#else
    typedef int32_t Wide __attribute__((vector_size(sizeof(Vec))));
    const Wide x = (Wide)a, y = (Wide)b;
    return (Vec)(((x << 16) >> 16) * ((y << 16) >> 16) + (x >> 16) * (y >> 16));
#endif
  }
  // Left to the compiler, sums move between registers.
  CORTEX_INLINE static void add_in_place(Vec& sum, Vec x) {
#if defined(__AVX512F__)
    asm("vpaddd %1, %0, %0" : "+v"(sum) : "v"(x));
#elif defined(__AVX2__)
    asm("vpaddd %1, %0, %0" : "+x"(sum) : "x"(x));
#else
    sum = add_integers(sum, x);
    keep(sum);
#endif
  }
  CORTEX_INLINE static void accumulate(Vec& sum, Vec a, Vec b) {
    const Signed even_a = (Signed)((Unsigned)a & 0xff), odd_a = (Signed)((Unsigned)a >> 8);
    const Signed even_b = (Signed)((Unsigned)b << 8) >> 8, odd_b = (Signed)b >> 8;
    add_in_place(sum, pair_sums(even_a, even_b));
    add_in_place(sum, pair_sums(odd_a, odd_b));
  }
#endif
  CORTEX_INLINE static Vec add(Vec x, Vec y) { return add_integers(x, y); }
  CORTEX_INLINE static Vec sum_of_lanes(Vec x) {
    int32_t values[lanes], total = 0;
    store(reinterpret_cast<float*>(values), x);
    CORTEX_UNROLL
    for (int i = 0; i < lanes; ++i)
      total = static_cast<int32_t>(static_cast<uint32_t>(total) + static_cast<uint32_t>(values[i]));
    float bits;
    __builtin_memcpy(&bits, &total, 4);
    return splat(bits);
  }
};

}  // namespace
}  // namespace cortex
