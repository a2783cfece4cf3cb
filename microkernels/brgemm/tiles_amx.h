// The tile registers of AMX: eight of up to 16 rows of 64 bytes, whose shapes a configuration sets for all of
// them together. Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter on AMX.
//
// Instructions as assembly: the compiler's own spell register numbers by the preprocessor, which templates
// have no access to.
#pragma once

#include <stdint.h>

#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

constexpr int tile_rows = 16;   // of one register
constexpr int tile_units = 16;  // units of 4 bytes in a row of one register

struct alignas(64) TileConfig {
  uint8_t palette, start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];

  CORTEX_INLINE void set(int tile, int64_t row_count, int64_t units) {
    rows[tile] = static_cast<uint8_t>(row_count);
    row_bytes[tile] = static_cast<uint16_t>(4 * units);
  }
};
static_assert(sizeof(TileConfig) == 64);

CORTEX_INLINE void load_config(const TileConfig& config) { asm volatile("ldtilecfg %0" : : "m"(config)); }
CORTEX_INLINE void release_tiles() { asm volatile("tilerelease"); }

template <int Tile>
CORTEX_INLINE void zero_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(Tile));
}
template <int Tile>
CORTEX_INLINE void load_tile(const void* rows, int64_t pitch) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(rows), "r"(pitch), "i"(Tile) : "memory");
}
template <int Tile>
CORTEX_INLINE void store_tile(void* rows, int64_t pitch) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(rows), "r"(pitch), "i"(Tile) : "memory");
}

}  // namespace
}  // namespace cortex
