// One row of A times rows of B so wide that no register tile holds their sums: B is walked a few whole rows
// at a time and the sums wait in L1. The tile body would come down a strip of columns instead, a new page at
// every row, which neither prefetchers nor the TLB follow.
//
// AMD EPYC (Zen 5), GB/s of B where strips of 256 columns have: 512x1024 (L2) 246 to 230; 1024x1024 (L3) 112
// to 107; 1024x4096 (beyond) 103 to 88.
#pragma once

#include "microkernels/brgemm/brgemm_body.h"

namespace cortex {
namespace {

// Rows between two visits of the sums, and vectors of columns between two rows: more rows are more pages at
// a time, fewer reload the sums more often; 1 KB of a row at a time keeps prefetchers on it.
constexpr int rows_together = 12;
constexpr int strip_vectors = vector_registers >= 32 ? 16 : 12;

// A few rows of B from b on, times as many elements at a.
struct RowGroup {
  const char* a;
  const char* b;
  int64_t rows;
  int64_t ldb;
  float* sums;
  bool fresh;  // the sums start from zero
};

// acc += x times `Rows` rows. Each row has instructions of its own and each product reads its vector from
// memory: a prefetcher goes by the instruction, and in a loop over rows it would see the pitch of B for a
// stride and miss that every row goes on in the next strip.
template <int Rows, int N, bool Masked>
CORTEX_INLINE void add_rows(Vec (&acc)[N], const char* a, const char* b, int64_t ldb, Mask mask) {
  CORTEX_UNROLL
  for (int row = 0; row < Rows; ++row, b += ldb) {
    const Vec x = splat_at(reinterpret_cast<const float*>(a) + row);
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) {
      const float* p = reinterpret_cast<const float*>(b) + j * lanes;
      acc[j] = fma(x, Masked && j == N - 1 ? load(mask, p) : load(p), acc[j]);
    }
  }
}

template <int N, bool Masked>
__attribute__((noinline)) void strip_body(const RowGroup& group, int64_t column, Mask mask) {
  Vec acc[N];
  float* sums = group.sums + column;
  if (group.fresh) {
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) acc[j] = zero();
  } else {
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) acc[j] = load(sums + j * lanes);
  }
  const char* b = group.b + column * 4;
  if (group.rows == rows_together) {
    add_rows<rows_together, N, Masked>(acc, group.a, b, group.ldb, mask);
  } else {
    const char* a = group.a;
#pragma GCC unroll 1
    for (int64_t left = group.rows; left > 0; --left, a += 4, b += group.ldb) {
      add_rows<1, N, Masked>(acc, a, b, 0, mask);
    }
  }
  CORTEX_UNROLL
  for (int j = 0; j < N; ++j) store(sums + j * lanes, acc[j]);
}

using StripBody = void (*)(const RowGroup&, int64_t, Mask);

struct StripTable {
  StripBody body[2][strip_vectors];  // [last vector partial][vectors - 1]
};

constexpr StripTable make_strips() {
  StripTable table{};
  unroll<strip_vectors>([&](auto j) {
    table.body[0][j] = strip_body<j.value + 1, false>;
    table.body[1][j] = strip_body<j.value + 1, true>;
  });
  return table;
}

// The columns of a call in strips as equal as can be: a narrow one would wait for its own sums.
struct Strips {
  int64_t vectors, count;
  int partial;
  Mask mask;

  CORTEX_INLINE explicit Strips(int64_t n) : vectors((n + lanes - 1) / lanes) {
    count = (vectors + strip_vectors - 1) / strip_vectors;
    const int64_t tail = n - (vectors - 1) * lanes;
    partial = tail != lanes;
    mask = first_lanes(tail);
  }

  CORTEX_INLINE void add(const StripTable& table, const RowGroup& group) const {
    const int64_t each = vectors / count, longer = vectors % count;
    int64_t vector = 0;
#pragma GCC unroll 1
    for (int64_t i = 0; i < count; ++i) {
      const int64_t size = each + (i < longer);
      table.body[i + 1 == count ? partial : 0][size - 1](group, vector * lanes, mask);
      vector += size;
    }
  }
};

// The sums of N vectors from `column` on, finished and written to C.
template <int N, bool Masked>
CORTEX_INLINE void finish_columns(const cortex_brgemm_args* args, const float* sums, int64_t column,
                                  Mask mask) {
  RegisterTile<1, N, Masked> tile;
  tile.mask = mask;
  CORTEX_UNROLL
  for (int j = 0; j < N; ++j) tile.v[0][j] = load(sums + column + j * lanes);
  TilePlace place = place_of(args);
  place.c += column * 4;
  place.n = args->n - column < N * lanes ? args->n - column : N * lanes;
  if (place.bias_n) place.bias_n += column;
  if (place.residual) place.residual += column * 4;
  tile.to_memory(args->flags, args->epilogue, place);
}

__attribute__((noinline)) void finish_row(const cortex_brgemm_args* args, const float* sums, Mask mask) {
  int64_t column = 0;
#pragma GCC unroll 1
  for (; column + 4 * lanes <= args->n; column += 4 * lanes) {
    finish_columns<4, false>(args, sums, column, mask);
  }
#pragma GCC unroll 1
  for (; column < args->n; column += lanes) {
    finish_columns<1, true>(args, sums, column, args->n - column < lanes ? mask : first_lanes(lanes));
  }
}

// The element's row reads inside the window's input.
CORTEX_INLINE bool counts(const cortex_row_window& window, int64_t element) {
  if (window.taps == 0) return true;
  const int64_t at = window.at + window.tap_step * (element % window.taps);
  return at >= 0 && at < window.extent;
}

template <int NR>
CORTEX_INLINE void brgemm_rows(const cortex_brgemm_args* args) {
  static constexpr StripTable table = make_strips();
  if (args->m <= 0 || args->n <= 0) return;
  alignas(64) float sums[NR];
  const Strips strips(args->n);
  RowGroup group = {nullptr, nullptr, 0, args->ldb, sums, true};
  int64_t element = 0;
  for_each_in_batch(args, nullptr, [&](const char* a, const char* b) CORTEX_LAMBDA {
    if (!counts(args->window, element++)) return;
#pragma GCC unroll 1
    for (int64_t row = 0; row < args->k; row += rows_together) {
      group.a = a + row * 4;
      group.b = b + row * args->ldb;
      group.rows = args->k - row < rows_together ? args->k - row : rows_together;
      strips.add(table, group);
      group.fresh = false;
    }
  });
  if (group.fresh) strips.add(table, group);  // an empty sum
  finish_row(args, sums, strips.mask);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BRGEMM_ROWS(nr, isa)                                                          \
  extern "C" void cortex_brgemm_f32_f32_f32_1x##nr##x1_rows_##isa(const cortex_brgemm_args* args) { \
    cortex::brgemm_rows<nr>(args);                                                                  \
  }
