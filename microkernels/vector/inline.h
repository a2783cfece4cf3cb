// Helpers shared by ISA files. Everything is in an anonymous namespace and always inlined: an ISA object
// exports its kernels and nothing else, so that no copy compiled for a newer CPU can win at link time.
#pragma once

#define CORTEX_INLINE inline __attribute__((always_inline))
#define CORTEX_LAMBDA __attribute__((always_inline))
// Before a loop of constant length: unrolls it whole, so that arrays it indexes live in registers.
#define CORTEX_UNROLL _Pragma("GCC unroll 64")

// Operand of an asm that reads somewhere behind p: orders it after the stores before it.
#define CORTEX_READS(p) "m"(*reinterpret_cast<const cortex::Memory*>(p))

namespace cortex {
namespace {

struct __attribute__((may_alias)) Memory {
  char bytes[1 << 30];
};

template <int I>
struct Index {
  static constexpr int value = I;
  constexpr operator int() const { return I; }
};

// f(Index<0>), f(Index<1>), ... f(Index<N-1>): straight-line code whose indices are constant expressions,
// for template arguments and instruction displacements.
template <int N, int I = 0, typename F>
CORTEX_INLINE constexpr void unroll(F f) {
  if constexpr (I < N) {
    f(Index<I>{});
    unroll<N, I + 1>(f);
  }
}

}  // namespace
}  // namespace cortex
