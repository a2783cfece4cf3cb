// What the caller reads next (cortex_sparse_next), asked for between lists.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"
#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

// Of the channels those [begin, end), in at most `turns` turns of as many each.
class NextLines {
 public:
  CORTEX_INLINE NextLines(const cortex_sparse_next& next, int64_t begin, int64_t end, int64_t turns)
      : next_(next), channel_(begin), end_(end), each_((end - begin + turns - 1) / turns) {}

  CORTEX_INLINE void ask() {
    const int64_t stop = end_ - channel_ < each_ ? end_ : channel_ + each_;
#pragma GCC unroll 1
    for (; channel_ < stop; ++channel_) {
      const char* const channel =
          static_cast<const char*>(next_.base) + next_.channels[channel_] * next_.ld_channel;
#pragma GCC unroll 1
      for (const int64_t *line = next_.lines, *end = line + next_.line_count; line != end; ++line)
        __builtin_prefetch(channel + *line, 0, 2);
    }
  }

 private:
  const cortex_sparse_next& next_;
  int64_t channel_, end_, each_;
};

}  // namespace
}  // namespace cortex
