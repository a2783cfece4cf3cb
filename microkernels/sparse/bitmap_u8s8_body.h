// The same of 8-bit integers: a lane is four weights of a column, multiplied by one instruction; their sums
// are exact. The ISA's header says how four bytes a lane are expanded: `expanded(values, bits)`, ByteBits
// being an unsigned integer of as many bits as a vector has bytes, and their number, `count_of(bits)`.
#pragma once

#include "microkernels/brgemm/product_u8s8.h"
#include "microkernels/sparse/bitmap_rows.h"

namespace cortex {
namespace {

// Bytes between what is expanded and what is asked for. Zen 4, half of the weights from memory: 1 KB takes
// 1.4 times as long.
constexpr int values_ahead = 6144;

struct Bytes {
  template <int M, int V>
  __attribute__((noinline)) static Weights block(const BlockOfColumns& block, Weights w) {
    static_assert(8 * sizeof(ByteBits) == sizeof(Vec));
    const cortex_bitmap_args& x = block.x;
    RegisterTile<M, V, true> tile;
    tile.mask = first_lanes(block.at.n - (V - 1) * lanes);
    tile.each([](Vec, int, int) CORTEX_LAMBDA { return zero(); });
    const char* a = block.a;
    const char* values = w.values;
    const char* bits = w.bits;
#pragma GCC unroll 1
    for (int64_t k = x.k; k > 0; --k, bits += block_vectors * sizeof(ByteBits), a += x.a_column) {
      __builtin_prefetch(values + values_ahead);
      Vec row[M];
      CORTEX_UNROLL
      for (int i = 0; i < M; ++i) row[i] = splat_at(reinterpret_cast<const float*>(a + i * x.a_row));
      CORTEX_UNROLL
      for (int j = 0; j < V; ++j) {
        ByteBits mask;
        __builtin_memcpy(&mask, bits + j * sizeof mask, sizeof mask);
        const Vec b = expanded(values, mask);
        values += count_of(mask);
        CORTEX_UNROLL
        for (int i = 0; i < M; ++i) {
          Vec four = row[i];
          // Widened anew for every vector: kept, its halves would push a sum out of its register.
          if constexpr (M > 1 && Product::extra_registers(1) > 0) asm volatile("" : "+x"(four));
          Product::accumulate(tile.v[i][j], four, b);
        }
      }
    }
    finish_narrow<true>(tile, block.epilogue, block.at);
    return {bits, values};
  }
};

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BITMAP_U8S8(isa)                                    \
  extern "C" void cortex_bitmap_u8s8_##isa(const cortex_bitmap_args* x) { \
    cortex::bitmap_rows<cortex::Bytes>(*x);                               \
  }
