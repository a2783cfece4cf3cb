// CPUs whose 512-bit multiply-adds are done half by half (AMD's Zen 4).
#pragma once

#include <cstdint>
#include <limits>

#include "polyopt/machine/machine.h"

namespace cortex {

inline bool halves_take_turns(const Machine& machine) {
  return machine.vector_lanes >= 16 && machine.fma_per_cycle <= 1.2;
}

// How many vectors of f32 a tile stores in one go before the next tile's multiply-adds wait for them, and
// cycles for each one more. EPYC (Zen 4), cycles of a call beyond its multiply-adds, 64 steps: 28 vectors
// (7x64, 14x32) 58, 24 (6x64, 8x48) 37, 20 and 18 (10x32, 6x48) 8 and 16, 16 (4x64) 6.
inline constexpr double vectors_stored = 16, store_wait = 6;

// The same of bf16, two of whose vectors leave as one. 32 and 64 steps, C of 6 MB asked for: 7x64 21 and 23,
// 6x64 11 and 13, 5x64 9 and 11.
inline constexpr double vectors_stored_bf16 = 24, store_wait_bf16 = 2.5;

// Vectors of lower tiles, which may be faster than ones of all of a kernel's rows: of f32, of bf16.
inline constexpr int vectors_of_lower_tile = 20, vectors_of_lower_tile_bf16 = 24;

// Operands that L2 holds along with what else is read. Larger ones are asked for (see ask_for_c). Without an
// L2 none is known to be large.
inline int64_t small_beside_l2(const Machine& machine) {
  return machine.caches.size() > 1 ? machine.caches[1].bytes / 4 : std::numeric_limits<int64_t>::max();
}

}  // namespace cortex
