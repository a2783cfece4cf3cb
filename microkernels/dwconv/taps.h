// A group of channels, as many as a vector has bytes: what zeros of the source look like, the weights
// interleaved for products of four taps, what its sums start from and are multiplied with.
//
// Bytes interleaved (see vector/bytes_<isa>.h) stand in another order than channels do; so do sums, scales
// and biases. Signed sources are flipped to u8, 128 above: their zero is then 128.
#pragma once

#include <stdint.h>

#include "microkernels/brgemm/product_u8s8.h"
#include "microkernels/dwconv/plane.h"

namespace cortex {
namespace {

// Four columns of a source and four taps, interleaved, as one multiplication takes them.
#ifdef CORTEX_HAS_DOT
struct Columns {
  Vec bytes;
  CORTEX_INLINE explicit Columns(Vec x) : bytes(x) {}
};
struct Taps {
  Vec bytes;
  CORTEX_INLINE void set(Vec x) { bytes = x; }
};
#else
// Widened: bytes 0 and 2, and bytes 1 and 3 of each lane as 16 bits.
struct Columns {
  Product::Signed even, odd;
  CORTEX_INLINE explicit Columns(Vec x)
      : even((Product::Signed)((Product::Unsigned)x & 0xff)),
        odd((Product::Signed)((Product::Unsigned)x >> 8)) {}
  // Vector by vector: copied as a whole it would go through the stack.
  CORTEX_INLINE Columns(const Columns& x) : even(x.even), odd(x.odd) {}
  CORTEX_INLINE Columns& operator=(const Columns& x) {
    even = x.even;
    odd = x.odd;
    return *this;
  }
};
struct Taps {
  Product::Signed even, odd;
  CORTEX_INLINE void set(Vec x) {
    even = (Product::Signed)((Product::Unsigned)x << 8) >> 8;
    odd = (Product::Signed)x >> 8;
  }
};
#endif

// N quads of taps: in registers where these are few and have room, else in memory.
#ifdef CORTEX_HAS_DOT
constexpr int held_taps = 6;
#else
constexpr int held_taps = 0;
#endif
template <int N, bool InRegisters = (N <= held_taps)>
struct HeldTaps {
  const Taps* taps;
  CORTEX_INLINE explicit HeldTaps(const Taps* from) : taps(from) {}
  CORTEX_INLINE void add_product(Vec& sum, const Columns& a, int i) const {
#ifdef CORTEX_HAS_DOT
#if defined(__AVX512F__)
    asm(CORTEX_MULTIPLY_ADD " %2, %1, %0" : "+v"(sum) : "v"(a.bytes), "m"(taps[i].bytes));
#else
    asm(CORTEX_MULTIPLY_ADD " %2, %1, %0" : "+x"(sum) : "x"(a.bytes), "m"(taps[i].bytes));
#endif
#else
    Product::add_in_place(sum, Product::pair_sums(a.even, taps[i].even));
    Product::add_in_place(sum, Product::pair_sums(a.odd, taps[i].odd));
#endif
  }
};
#ifdef CORTEX_HAS_DOT
template <int N>
struct HeldTaps<N, true> {
  Vec taps[N];
  CORTEX_INLINE explicit HeldTaps(const Taps* from) {
    CORTEX_UNROLL
    for (int i = 0; i < N; ++i) {
      taps[i] = from[i].bytes;
      keep(taps[i]);
    }
  }
  CORTEX_INLINE void add_product(Vec& sum, const Columns& a, int i) const {
#if defined(__AVX512F__)  // vectors of 32 bytes have 32 registers too
    asm(CORTEX_MULTIPLY_ADD " %2, %1, %0" : "+v"(sum) : "v"(a.bytes), "v"(taps[i]));
#else
    Product::accumulate(sum, a.bytes, taps[i]);
#endif
  }
};
#endif

struct Group {
  int64_t first, channels;
  uint64_t bits;      // bit i: channel first + i exists
  Narrow outside;     // a column of zeros
  bool adds_outside;  // which changes sums
  Narrow flipped;     // the bits in which signed elements differ
  Vec start[4];
  float scale[points], bias[points];
  bool scaled, biased;

  // Channel i of a group stands at place(i) of what is interleaved.
  static constexpr int place(int64_t i) {
    const int64_t block = i / 16, in_block = i % 16;
    return static_cast<int>(in_block / 4 * lanes + block * 4 + in_block % 4);
  }

  __attribute__((noinline)) Group(const cortex_dwconv_args& p, int64_t channel, bool is_signed)
      : first(channel), channels(p.channels - channel < points ? p.channels - channel : points) {
    bits = ~uint64_t{0} >> (64 - channels);
    const int32_t zero_point = p.in_zero_point + (is_signed ? 128 : 0);
    outside = splat_byte(zero_point);
    adds_outside = zero_point != 0;
    flipped = splat_byte(is_signed ? 128 : 0);
    CORTEX_UNROLL
    for (int v = 0; v < 4; ++v) start[v] = zero();
    scaled = p.epilogue.scale_n != nullptr;
    biased = p.epilogue.bias_n != nullptr;
#pragma GCC unroll 1
    for (int64_t i = 0; i < points; ++i) {
      scale[place(i)] = scaled && i < channels ? p.epilogue.scale_n[first + i] : 1.0f;
      bias[place(i)] = biased && i < channels ? p.epilogue.bias_n[first + i] : 0.0f;
    }
  }
  bool whole() const { return channels == points; }

  template <bool Masked, bool Signed>
  CORTEX_INLINE Narrow load_column(const char* from) const {
    const Narrow x = Masked ? load_elements(bits, from, splat_byte(0)) : load_vector(from);
    return Signed ? flip(x, flipped) : x;
  }

  // Taps t to t+3 of a row of `taps`, those it does not have being zero.
  __attribute__((noinline)) void load_taps(const char* row, int64_t apart, int64_t t, int64_t taps,
                                           Vec (&w)[4]) const {
    const auto tap = [&](int64_t i) CORTEX_LAMBDA {
      return i >= 0 && i < taps ? load_elements(bits, row + i * apart, splat_byte(0)) : splat_byte(0);
    };
    interleave(tap(t), tap(t + 1), tap(t + 2), tap(t + 3), w);
  }

  // Sums start below zero by what the source's zero adds at every tap that counts.
  __attribute__((noinline)) void set_start(const Plane& plane) {
    if (!adds_outside) return;
    float column_bits[lanes];
    Vec w[4];
    __builtin_memcpy(column_bits, &outside, sizeof column_bits);
    const Vec column = load(column_bits);
#pragma GCC unroll 1
    for (int64_t d = 0; d < plane.depth; ++d) {
#pragma GCC unroll 1
      for (int64_t i = 0; i < plane.h.taps; ++i) {
        const char* row = plane.weights + d * plane.w_depth + i * plane.args.w_stride_h + first;
#pragma GCC unroll 1
        for (int64_t t = 0; t < plane.w.taps; t += 4) {
          load_taps(row, plane.args.w_stride_w, t, plane.w.taps, w);
          CORTEX_UNROLL
          for (int v = 0; v < 4; ++v) Product::accumulate(start[v], column, w[v]);
        }
      }
    }
    int32_t sums[points];
    __builtin_memcpy(sums, start, sizeof sums);
    for (int32_t& sum : sums) sum = static_cast<int32_t>(0u - static_cast<uint32_t>(sum));
    __builtin_memcpy(start, sums, sizeof sums);
  }
};

}  // namespace
}  // namespace cortex
