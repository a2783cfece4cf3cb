// The elements of a call's batch, and which of a tile's rows each of them reaches.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

struct RowRange {
  int32_t begin, end;
};
CORTEX_INLINE bool same(RowRange x, RowRange y) { return x.begin == y.begin && x.end == y.end; }

// The elements of a batch that have the same rows, as one body sees them.
struct Part {
  const RowRange* rows;  // of each tap
  int64_t taps;
  RowRange range;     // those of the elements meant; the body's row 0 is the first of them
  const char* start;  // what the sum starts from, null: zero
  int64_t start_pitch;
};

// Calls use(A_b, B_b) for every element of the batch, or of a part of it.
template <typename Use>
CORTEX_INLINE void for_each_in_batch(const cortex_brgemm_args* args, const Part* part, Use use) {
  int64_t tap = -1;
#pragma GCC unroll 1
  for (int64_t i = 0; i < args->batch; ++i) {
    if (part) {
      tap = tap + 1 == part->taps ? 0 : tap + 1;
      if (!same(part->rows[tap], part->range)) continue;
    }
    const char *a, *b;
    if (args->a_addresses) {
      a = static_cast<const char*>(args->a_addresses[i]);
      b = static_cast<const char*>(args->b_addresses[i]);
    } else {
      const bool offsets = args->a_offsets != nullptr;
      a = static_cast<const char*>(args->a) + (offsets ? args->a_offsets[i] : i * args->a_batch_stride);
      b = static_cast<const char*>(args->b) + (offsets ? args->b_offsets[i] : i * args->b_batch_stride);
    }
    if (part) a += part->range.begin * args->lda;
    use(a, b);
  }
}

CORTEX_INLINE TilePlace place_of(const cortex_brgemm_args* args) {
  const cortex_epilogue& e = args->epilogue;
  return {static_cast<char*>(args->c),          args->ldc,     args->n, e.bias_n, e.bias_m,
          static_cast<const char*>(e.residual), e.ld_residual, 0,       0,        args->c_far > 1};
}

CORTEX_INLINE int64_t steps_over(int64_t distance, int64_t step) {
  return step == 1 ? distance : (distance + step - 1) / step;
}

// Rows of a call, of which there may be more than a tile has.
struct CallRows {
  int64_t begin, end;
};

// Of m rows those that read inside the input by all taps whose row 0 reads from `first` to `last`.
CORTEX_INLINE CallRows rows_between(const cortex_row_window& window, int64_t first, int64_t last, int64_t m) {
  const int64_t left = window.extent - last;
  const int64_t begin = first >= 0 ? 0 : steps_over(-first, window.step);
  const int64_t end = left <= 0 ? 0 : left > (m - 1) * window.step ? m : steps_over(left, window.step);
  return {begin < m ? begin : m, end};
}

// Rows of each tap that read inside the input. Divisions cost as much as a row of a tile: few are made.
CORTEX_INLINE void rows_inside(const cortex_row_window& window, int64_t m, RowRange* rows) {
#pragma GCC unroll 1
  for (int64_t t = 0; t < window.taps; ++t) {
    const int64_t at = window.at + t * window.tap_step;
    const CallRows inside = rows_between(window, at, at, m);
    rows[t] = {static_cast<int32_t>(inside.begin), static_cast<int32_t>(inside.end)};
  }
}

// Rows of which every tap reads inside the input. They are none where end <= begin.
CORTEX_INLINE CallRows rows_of_all_taps(const cortex_row_window& window, int64_t m) {
  return rows_between(window, window.at, window.at + window.tap_step * (window.taps - 1), m);
}

CORTEX_INLINE bool leaves_input(const cortex_row_window& window, int64_t m) {
  if (window.taps == 0) return false;
  return window.at < 0 ||
         window.at + window.step * (m - 1) + window.tap_step * (window.taps - 1) >= window.extent;
}

}  // namespace
}  // namespace cortex
