// Panels of bytes from activations whose points are adjacent: what the window sees outside the input is
// `fill`, and signed elements get 128 added. The ISA's header says what Bytes are.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"

namespace cortex {
namespace {

enum class Steps { one, two, two_quarters, any };

template <Steps Step>
__attribute__((noinline)) void gather_bytes_step(const cortex_sparse_gather_args& x) {
  const Bytes flipped = splat_byte(x.flip), outside = splat_byte(x.fill ^ x.flip);
  const cortex_sparse_run* const end = x.runs + x.run_count;
  const int32_t* const last = x.channels + x.count;
  const int64_t ld_channel = x.ld_channel, ld_panel = x.ld_panel;
#pragma GCC unroll 1
  for (const cortex_sparse_run* r = x.runs; r != end; ++r) {
    const uint64_t low = r->low, high = r->high;
    const char* const from = static_cast<const char*>(x.src) + r->from;
    char* to = static_cast<char*>(x.panel) + r->to;
#pragma GCC unroll 4
    for (const int32_t* channel = x.channels; channel != last; ++channel, to += ld_panel) {
      const char* const at = from + *channel * ld_channel;
      if constexpr (Step == Steps::any) {
        char all[points];
        store_vector(all, flip(outside, flipped));
        for (int i = 0; i < points; ++i)
          if (low >> i & 1) all[i] = at[x.step * i] ^ static_cast<char>(x.flip);
        __builtin_memcpy(to, all, points);
      } else {
        Bytes v = load_bytes(low, at, outside);
        if constexpr (Step == Steps::two) v = even_bytes(v, load_bytes(high, at + points, outside));
        if constexpr (Step == Steps::two_quarters)
          v = even_quarters(v, load_bytes(high, at + points, outside));
        store_vector(to, flip(v, flipped));
      }
    }
  }
}

CORTEX_INLINE void gather_bytes(const cortex_sparse_gather_args& x) {
  if (x.step == 1) return gather_bytes_step<Steps::one>(x);
  if (x.step != 2) return gather_bytes_step<Steps::any>(x);
  if (x.together > 1) return gather_bytes_step<Steps::two_quarters>(x);
  gather_bytes_step<Steps::two>(x);
}

}  // namespace
}  // namespace cortex
