// Depthwise windows of bf16: elements are widened to f32, which is exact. Sums go to memory through a copy:
// the epilogue's code stands once, not in every block.
#pragma once

#include <stdint.h>

#include "microkernels/brgemm/finish_narrow.h"
#include "microkernels/dwconv/plane.h"
#include "microkernels/dwconv/widen.h"

namespace cortex {
namespace {

// Outputs [y, y + rows) x [x, x + columns), one vector of channels from c on.
struct WideSums {
  const Plane& plane;
  int64_t y, x, c, channels;
  int rows, columns;
  const float* sums;

  CORTEX_INLINE char* output(int i, int j, int64_t size) const {
    return plane.output + (y + i) * plane.out_row + (x + j) * plane.out_column + c * size;
  }
  CORTEX_INLINE const char* residual(int i, int j, int64_t size) const {
    if (!plane.args.epilogue.residual) return nullptr;
    return plane.residual + (y + i) * plane.residual_row + (x + j) * plane.residual_column + c * size;
  }
};

template <int Type>
CORTEX_INLINE void store_sums(const WideSums& s) {
  constexpr int64_t size = Type == CORTEX_ELEMENT_BF16 ? 2 : 4;
  const cortex_epilogue& e = s.plane.args.epilogue;
  const bool finishes = s.plane.args.flags & CORTEX_TILE_EPILOGUE;
  const bool relu = finishes && e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f;
  const bool clip = finishes && e.activation == CORTEX_ACTIVATION_CLIP;
  const bool adds = s.plane.args.flags & CORTEX_TILE_ACCUMULATE;
  const bool steps = finishes && (e.residual || !(relu || clip || e.activation == CORTEX_ACTIVATION_NONE));
  const Mask mask = first_lanes(s.channels);
  const Vec bias = finishes && e.bias_n ? load(mask, e.bias_n + s.c) : zero();
  const Vec least = splat(clip ? e.alpha : 0.0f), most = splat(clip ? e.beta : __builtin_inff());
  const float* sums = s.sums;
#pragma GCC unroll 1
  for (int i = 0; i < s.rows; ++i) {
#pragma GCC unroll 1
    for (int j = 0; j < s.columns; ++j, sums += lanes) {
      char* c = s.output(i, j, size);
      Vec x = load(sums);
      if (adds) x = add(x, load(mask, reinterpret_cast<float*>(c)));
      x = add(x, bias);
      if (__builtin_expect(steps, 0)) {
        float copy[lanes];
        store(copy, x);
        const TilePlace at{c, 0, s.channels, nullptr, nullptr, s.residual(i, j, size), 0};
        finish_copy<Type>(e, at, copy, lanes, 1);
        continue;
      }
      if (relu || clip) x = min(most, max(least, x));
      if (s.channels == lanes) {
        store_as<Type>(c, x, 0);
      } else {
        store_first<Type>(s.channels, c, x, 0);
      }
    }
  }
}

__attribute__((noinline)) void finish_sums(const WideSums& s) {
  const bool halves =
      s.plane.args.flags & CORTEX_TILE_EPILOGUE && s.plane.args.epilogue.c_type == CORTEX_ELEMENT_BF16;
  if (halves) return store_sums<CORTEX_ELEMENT_BF16>(s);
  store_sums<CORTEX_ELEMENT_F32>(s);
}

struct Element {
  static constexpr int64_t size = 2;
  CORTEX_INLINE static Vec load(const char* p) { return widen_at<0>(p, 0); }
  CORTEX_INLINE static Vec load(Mask mask, const char* p) { return widen_at<0>(mask, p, 0); }
  template <int Row, typename Pointers>
  CORTEX_INLINE static Vec load_row(const Pointers& at) {
    return widen_at<Pointers::scale(Row)>(at.base[Row / 8], at.template offset<Row>());
  }
  template <int Row, typename Pointers>
  CORTEX_INLINE static Vec load_row(const Pointers& at, Mask mask) {
    return widen_at<Pointers::scale(Row)>(mask, at.base[Row / 8], at.template offset<Row>());
  }

  struct Outputs {
    const Plane& plane;
    const Place& place;

    CORTEX_INLINE Outputs(const Plane& of, const Place& at) : plane(of), place(at) {}

    template <int R, int X, bool Masked, typename Tile>
    CORTEX_INLINE void finish(Tile& tile, int64_t c, int64_t channels) const {
      alignas(64) float sums[R * X * lanes];
      tile.each([&](Vec x, int i, int) CORTEX_LAMBDA {
        store(sums + i * lanes, x);
        return x;
      });
      finish_sums({plane, place.y, place.x, c, channels, R, X, sums});
    }
  };
};

}  // namespace
}  // namespace cortex
