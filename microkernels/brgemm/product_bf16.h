// The product of bf16: pairs of elements, x0*y0 + x1*y1. With CORTEX_HAS_DOT the vocabulary's multiply
// instruction is vdpbf16ps; else halves are widened by shifts, which is exact, and multiplied as f32.
#pragma once

#include "microkernels/brgemm/finish_narrow.h"

namespace cortex {
namespace {

struct Product : NarrowProduct<false> {
#ifdef CORTEX_HAS_DOT
  static constexpr int extra_registers(int) { return 0; }
  static constexpr bool has_broadcast = has_broadcast_fma, has_fused_row3 = cortex::has_fused_row3;
  static constexpr bool has_halves = cortex::has_halves;
  CORTEX_INLINE static void accumulate(Vec& sum, Vec a, Vec b) { cortex::accumulate(sum, a, b); }
  CORTEX_INLINE static void accumulate_half(Vec& sum, Vec a, Vec b) { cortex::accumulate_half(sum, a, b); }
#else
  static constexpr bool has_halves = false;
  CORTEX_INLINE static void accumulate_half(Vec& sum, Vec a, Vec b) { accumulate(sum, a, b); }
  // Both halves of B and of A are there at once, and a mask.
  static constexpr int extra_registers(int n) { return n + 3; }
  static constexpr bool has_broadcast = false, has_fused_row3 = false;
  typedef uint32_t Words __attribute__((vector_size(sizeof(Vec))));
  CORTEX_INLINE static Vec first(Vec pairs) { return (Vec)((Words)pairs << 16); }
  CORTEX_INLINE static Vec second(Vec pairs) { return (Vec)((Words)pairs & 0xffff0000u); }
  CORTEX_INLINE static void accumulate(Vec& sum, Vec a, Vec b) {
    cortex::accumulate(sum, first(a), first(b));
    cortex::accumulate(sum, second(a), second(b));
  }
#endif
  CORTEX_INLINE static Vec add(Vec x, Vec y) { return cortex::add(x, y); }
  CORTEX_INLINE static Vec sum_of_lanes(Vec x) { return splat(cortex::sum_of_lanes(x)); }
};

}  // namespace
}  // namespace cortex
