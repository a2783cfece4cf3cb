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

using Multiply = void (*)(const Taps*, const Columns*, const Vec* start, Vec* sums);

template <typename Form>
struct Multiplies {
  Multiply of[block_rows][block_units];  // [rows - 1][units - 1]
};

template <typename Form>
constexpr Multiplies<Form> make_multiplies() {
  Multiplies<Form> table{};
  unroll<block_rows>([&](auto r) {
    unroll<block_units>([&](auto u) { table.of[r][u] = multiply_block<Form, r.value + 1, u.value + 1>; });
  });
  return table;
}

using InterleaveRows = void (*)(const Plane&, const Group&, int64_t y, int64_t x, int rows, int quads,
                                Columns*);
constexpr InterleaveRows interleaves[] = {interleave_rows<false, false>, interleave_rows<true, false>,
                                          interleave_rows<false, true>, interleave_rows<true, true>};

template <typename Form>
__attribute__((noinline)) void square_windows(const Phases& all, bool is_signed) {
  static constexpr Multiplies<Form> table = make_multiplies<Form>();
  Taps taps[4 * Form::tap_quads];
  alignas(64) char buffer[Form::rows(block_rows) * Form::row_quads(block_units) * 4 * sizeof(Columns)];
  Columns* const columns = reinterpret_cast<Columns*>(buffer);
  Vec sums[block_rows * block_units * Form::outputs * 4];
  const Plane any = all.plane(0, 0);
#pragma GCC unroll 1
  for (int64_t c = 0; c < all.p.channels; c += points) {
    Group group(all.p, c, is_signed);
    group.set_start(any);
    int at = 0;
#pragma GCC unroll 1
    for (int64_t j = 0; j < Form::outputs; ++j) {
#pragma GCC unroll 1
      for (int64_t i = 0; i < Form::taps; ++i) {
#pragma GCC unroll 1
        for (int64_t q = 0; q < Form::quads; ++q, ++at) {
          Vec w[4];
          group.load_taps(any.weights + i * all.p.w_stride_h + c, all.p.w_stride_w, 4 * q - j, Form::taps, w);
          CORTEX_UNROLL
          for (int v = 0; v < 4; ++v) taps[v * Form::tap_quads + at].set(w[v]);
        }
      }
    }
    const InterleaveRows interleave_block = interleaves[(is_signed ? 2 : 0) + (group.whole() ? 0 : 1)];
    for (int64_t i = 0; i < all.high && i < all.p.rows; ++i) {
      for (int64_t j = 0; j < all.wide && j < all.p.outputs; ++j) {
        const Plane plane = all.plane(i, j);
        Parts rows(plane.h.outputs, block_rows);
        for (int64_t y = 0, high; y < plane.h.outputs; y += high) {
          high = rows.next();
          Parts units((plane.w.outputs + Form::outputs - 1) / Form::outputs, block_units);
          for (int64_t x = 0, wide; x < plane.w.outputs; x += wide * Form::outputs) {
            wide = units.next();
            const int r = static_cast<int>(high), u = static_cast<int>(wide), made = u * Form::outputs;
            interleave_block(plane, group, y, x, Form::rows(r), Form::row_quads(u), columns);
            table.of[r - 1][u - 1](taps, columns, group.start, sums);
            const int64_t left = plane.w.outputs - x;  // the last unit may have one output too many
            finish({plane, group, y, x, r, left < made ? static_cast<int>(left) : made, made, sums});
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
