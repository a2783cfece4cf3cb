// A few rows times a matrix of sparse weights, held as a bit per weight and the weights that are not zero:
// columns in the lanes, weights are expanded in registers and read once. The ISA's header says how:
// `expanded(values, bits)`, and the number of bits, `count_of(bits)`.
#pragma once

#include "microkernels/sparse/bitmap_rows.h"

namespace cortex {
namespace {

template <typename Value>
struct Floats {
  template <int M, int V>
  __attribute__((noinline)) static Weights block(const BlockOfColumns& block, Weights w) {
    constexpr int64_t mask_bytes = block_vectors * lanes / 8;
    const cortex_bitmap_args& x = block.x;
    RegisterTile<M, V, true> tile;
    tile.mask = first_lanes(block.at.n - (V - 1) * lanes);
    tile.each([](Vec, int, int) CORTEX_LAMBDA { return zero(); });
    const char* a = block.a;
    const auto* values = reinterpret_cast<const Value*>(w.values);
    const char* bits = w.bits;
#pragma GCC unroll 1
    for (int64_t k = x.k; k > 0; --k, bits += mask_bytes, a += x.a_column) {
      uint64_t mask = 0;
      __builtin_memcpy(&mask, bits, mask_bytes);
      __builtin_prefetch(values + 1024 / sizeof(Value));
      Vec b[V];
      CORTEX_UNROLL
      for (int j = 0; j < V; ++j) {
        const auto lane_bits = static_cast<unsigned>(mask >> (j * lanes) & ((1u << lanes) - 1));
        b[j] = expanded(values, lane_bits);
        values += count_of(lane_bits);
      }
      CORTEX_UNROLL
      for (int i = 0; i < M; ++i) {
        const Vec row = splat_at(reinterpret_cast<const float*>(a + i * x.a_row));
        CORTEX_UNROLL
        for (int j = 0; j < V; ++j) accumulate(tile.v[i][j], b[j], row);
      }
    }
    finish_narrow<false>(tile, block.epilogue, block.at);
    return {bits, reinterpret_cast<const char*>(values)};
  }
};

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BITMAP(isa)                                         \
  extern "C" void cortex_bitmap_f32_##isa(const cortex_bitmap_args* x) {  \
    cortex::bitmap_rows<cortex::Floats<float>>(*x);                       \
  }                                                                       \
  extern "C" void cortex_bitmap_bf16_##isa(const cortex_bitmap_args* x) { \
    cortex::bitmap_rows<cortex::Floats<uint16_t>>(*x);                    \
  }
