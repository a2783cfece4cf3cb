// The body of every depthwise kernel of bytes. An ISA file includes its vectors of bytes and says how many
// rows of outputs a block may have, then includes this.
//
// Channels go in groups of a vector's bytes: a group's weights are interleaved once per call, then all
// outputs are walked.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/dwconv/byte_block.h"

namespace cortex {
namespace {

using ByteBlock = void (*)(const Plane&, const Group&, const Taps*, int64_t y, int64_t x);

template <typename Form>
struct ByteBlocks {
  ByteBlock block[4][block_rows][Form::columns];  // [signed, masked][rows - 1][columns - 1]
};

template <typename Form>
constexpr ByteBlocks<Form> make_byte_blocks() {
  ByteBlocks<Form> table{};
  unroll<4>([&](auto kind) {
    unroll<block_rows>([&](auto r) {
      unroll<Form::columns>([&](auto x) {
        // Larger windows have one form for all groups: what it adds is little beside their taps.
        using Of = Kind<(kind & 1) || Form::taps != 3, (kind & 2) || Form::taps != 3>;
        table.block[kind][r][x] = byte_block<Form, Of, r.value + 1, x.value + 1>;
      });
    });
  });
  return table;
}

template <typename Form>
__attribute__((noinline)) void square_windows(const Phases& all, bool is_signed) {
  static constexpr ByteBlocks<Form> table = make_byte_blocks<Form>();
  Taps taps[Form::vectors];
  const Plane any = all.plane(0, 0);
#pragma GCC unroll 1
  for (int64_t c = 0; c < all.p.channels; c += points) {
    Group group(all.p, c, is_signed);
    group.set_start(any);
    Taps* to = taps;
#pragma GCC unroll 1
    for (int64_t j = 0; j < Form::columns; ++j) {
#pragma GCC unroll 1
      for (int64_t i = 0; i < Form::taps; ++i) {
#pragma GCC unroll 1
        for (int64_t q = 0; q < Form::quads; ++q, to += 4) {
          Vec w[4];
          group.load_taps(any.weights + i * all.p.w_stride_h + c, all.p.w_stride_w, 4 * q - j, Form::taps, w);
          CORTEX_UNROLL
          for (int v = 0; v < 4; ++v) to[v].set(w[v]);
        }
      }
    }
    const auto& blocks = table.block[(is_signed ? 2 : 0) + (group.whole() ? 0 : 1)];
    for (int64_t i = 0; i < all.high && i < all.p.rows; ++i) {
      for (int64_t j = 0; j < all.wide && j < all.p.outputs; ++j) {
        const Plane plane = all.plane(i, j);
        Parts rows(plane.h.outputs, block_rows);
        for (int64_t y = 0, high; y < plane.h.outputs; y += high) {
          high = rows.next();
          for (int64_t x = 0; x < plane.w.outputs; x += Form::columns) {
            const bool last = x + Form::columns > plane.w.outputs;
            blocks[high - 1][last ? 0 : Form::columns - 1](plane, group, taps, y, x);
          }
        }
      }
    }
  }
}

__attribute__((noinline)) void any_windows(const Phases& all, bool is_signed) {
  const Plane any = all.plane(0, 0);
#pragma GCC unroll 1
  for (int64_t c = 0; c < all.p.channels; c += points) {
    Group group(all.p, c, is_signed);
    group.set_start(any);
    for (int64_t i = 0; i < all.high && i < all.p.rows; ++i) {
      for (int64_t j = 0; j < all.wide && j < all.p.outputs; ++j) {
        const Plane plane = all.plane(i, j);
        for (int64_t y = 0; y < plane.h.outputs; ++y) {
          for (int64_t x = 0; x < plane.w.outputs; ++x) byte_window(plane, group, y, x);
        }
      }
    }
  }
}

CORTEX_INLINE void byte_dwconv(const cortex_dwconv_args* args, bool is_signed) {
  const Phases all(*args);
  const int64_t taps = args->kw, stride = args->stride_w * all.wide / (taps == 1 ? 1 : args->dilation_w);
  const bool square = taps == args->kh && args->stride_h * all.high == stride * args->dilation_h;
  if (square && all.depth.size() == 1) {
    if (taps == 3 && stride == 1) return square_windows<Square<3, 1>>(all, is_signed);
    if (taps == 3 && stride == 2) return square_windows<Square<3, 2>>(all, is_signed);
    if (taps == 5 && stride == 1) return square_windows<Square<5, 1>>(all, is_signed);
    if (taps == 5 && stride == 2) return square_windows<Square<5, 2>>(all, is_signed);
    if (taps == 7 && stride == 1) return square_windows<Square<7, 1>>(all, is_signed);
  }
  any_windows(all, is_signed);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_DWCONV_BYTES(mr, nr, isa)                                                   \
  extern "C" void cortex_dwconv_u8_s8_s32_##mr##x##nr##x1_##isa(const cortex_dwconv_args* args) { \
    cortex::byte_dwconv(args, false);                                                             \
  }                                                                                               \
  extern "C" void cortex_dwconv_s8_s8_s32_##mr##x##nr##x1_##isa(const cortex_dwconv_args* args) { \
    cortex::byte_dwconv(args, true);                                                              \
  }
