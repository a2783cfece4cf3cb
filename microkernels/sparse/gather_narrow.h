// Panels of elements of one or two bytes from activations whose points are adjacent: what the window sees
// outside the input is `fill`, and signed bytes get 128 added. The ISA's header says what Narrow are, a
// vector of `points` elements of `element` bytes, and whether there is move_part for less than a vector.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"

namespace cortex {
namespace {

// Channels whose panels are filled together, run by run: runs share lines, which stay in L1 until then.
CORTEX_INLINE int64_t channels_at_once(int64_t ld_panel) {
  const int64_t fit = (12 << 10) / ld_panel;
  return fit < 4 ? 4 : fit;
}

enum class Steps { one, two, two_images, any };

// The panels of some channels.
template <Steps Step>
CORTEX_INLINE void gather_narrow_channels(const cortex_sparse_gather_args& x, int64_t begin, int64_t count) {
  const Narrow flipped = splat_byte(x.flip), outside = splat_byte(x.fill ^ x.flip);
  const cortex_sparse_run* const end = x.runs + x.run_count;
  const int32_t *const first = x.channels + begin, *const last = first + count;
  const int64_t ld_channel = x.ld_channel, ld_panel = x.ld_panel;
#pragma GCC unroll 1
  for (const cortex_sparse_run* r = x.runs; r != end; ++r) {
    const uint64_t low = r->low, high = r->high;
    const char* const from = static_cast<const char*>(x.src) + element * r->from;
    char* to = static_cast<char*>(x.panel) + begin * ld_panel + element * r->to;
    const auto each = [&](auto move) CORTEX_LAMBDA {
#pragma GCC unroll 4
      for (const int32_t* channel = first; channel != last; ++channel, to += ld_panel)
        move(from + *channel * ld_channel);
    };
    if constexpr (has_parts && (Step == Steps::one || Step == Steps::two)) {
      constexpr int step = Step == Steps::one ? 1 : 2;
      const auto part = [&](auto bytes) CORTEX_LAMBDA {
        each([&](const char* at)
                 CORTEX_LAMBDA { move_part<element, bytes, step>(to, at, low, outside, flipped); });
      };
      if (element * r->count <= 16) {
        part(Index<16>{});
        continue;
      }
      if (element * r->count <= 32) {
        part(Index<32>{});
        continue;
      }
    }
    each([&](const char* at) CORTEX_LAMBDA {
      Narrow v;
      if constexpr (Step == Steps::any) {
        char all[element * points];
        store_vector(all, outside);
        for (int i = 0; i < points; ++i)
          if (low >> i & 1) __builtin_memcpy(all + element * i, at + element * x.step * i, element);
        v = load_vector(all);
      } else {
        v = load_elements(low, at, outside);
        if constexpr (Step == Steps::two)
          v = even_elements(v, load_elements(high, at + element * points, outside));
        if constexpr (Step == Steps::two_images)
          v = even_images(v, load_elements(high, at + element * points, outside));
      }
      store_vector(to, flip(v, flipped));
    });
  }
}

template <Steps Step>
__attribute__((noinline)) void gather_narrow_step(const cortex_sparse_gather_args& x) {
  const int64_t at_once = channels_at_once(x.ld_panel);
  for (int64_t i = 0; i < x.count; i += at_once)
    gather_narrow_channels<Step>(x, i, x.count - i < at_once ? x.count - i : at_once);
}

CORTEX_INLINE void gather_narrow(const cortex_sparse_gather_args& x) {
  if (x.step == 1) return gather_narrow_step<Steps::one>(x);
  if (x.step != 2) return gather_narrow_step<Steps::any>(x);
  if (x.together > 1) return gather_narrow_step<Steps::two_images>(x);
  gather_narrow_step<Steps::two>(x);
}

}  // namespace
}  // namespace cortex
