// Many rows of A times few columns of B whose elements are adjacent along k: every element of C is a dot
// product and the lanes run along k. The tile body would leave most lanes of such columns idle and load every
// element of A by itself; here a vector of A meets every column while it is in a register.
//
// AMD EPYC (Zen 5), 1024x1024 times n columns, microseconds here and with tiles of 16 columns: n 2, 43 and
// 173; n 4, 52 and 175.
#pragma once

#include "microkernels/brgemm/brgemm_body.h"
#include "support/cpu_model.h"

namespace cortex {
namespace {

// Rows that walk k together: sums, the rows' vectors and one of B fit the registers. Beyond eight rows at
// once the prefetchers lose them.
constexpr int dots_rows(int n) {
  const int fit = (vector_registers - 2) / (n + 1);
  return fit < 8 ? fit : 8;
}

template <int R, int N>
struct DotBlock {
  Vec acc[R][N];

  template <typename Load>
  CORTEX_INLINE void step(const RowPointers<R>& a, const RowPointers<N>& b, Load load_vector) {
    Vec x[R];
    unroll<R>([&](auto i) CORTEX_LAMBDA {
      x[i] = load_vector(a, i);
      keep(x[i]);
    });
    unroll<N>([&](auto j) CORTEX_LAMBDA {
      Vec y = load_vector(b, j);
      keep(y);
      unroll<R>([&](auto i) CORTEX_LAMBDA { Product::accumulate(acc[i][j], x[i], y); });
    });
  }

  CORTEX_INLINE void multiply(const cortex_brgemm_args* args, const char* a_rows, const char* b_columns) {
    RowPointers<R> a(a_rows, args->lda);
    RowPointers<N> b(b_columns, args->ldb);
    int64_t left = args->k;
#pragma GCC unroll 1
    for (; left >= lanes; left -= lanes) {
      step(a, b, [](const auto& rows, auto i) CORTEX_LAMBDA { return rows.template load_row<i.value>(); });
      a.advance(4 * lanes);
      b.advance(4 * lanes);
    }
    if (left > 0) {
      const Mask mask = first_lanes(left);
      step(a, b,
           [mask](const auto& rows, auto i) CORTEX_LAMBDA { return rows.template load_row<i.value>(mask); });
    }
  }
};

// R rows from `row` on; their sums go to `out`, `pitch` elements apart.
template <int R, int N>
__attribute__((noinline)) void dots_body(const cortex_brgemm_args* args, int64_t row, float* out,
                                         int64_t pitch) {
  DotBlock<R, N> block;
  unroll<R>([&](auto i)
                CORTEX_LAMBDA { unroll<N>([&](auto j) CORTEX_LAMBDA { block.acc[i][j] = zero(); }); });
  const int64_t skip = row * args->lda;
  for_each_in_batch(args, nullptr,
                    [&](const char* a, const char* b) CORTEX_LAMBDA { block.multiply(args, a + skip, b); });
  const auto sum = [&](auto t) CORTEX_LAMBDA -> Vec& { return block.acc[t / N][t % N]; };
  float apart[R * N];
  float* const together = pitch == N ? out : apart;
  constexpr int fours = R * N / 4;
  unroll<fours>([&](auto f) CORTEX_LAMBDA {
    constexpr int t = 4 * f;
    store_sums(together + t, sum(Index<t>{}), sum(Index<t + 1>{}), sum(Index<t + 2>{}), sum(Index<t + 3>{}));
  });
  unroll<R * N - 4 * fours>([&](auto t) CORTEX_LAMBDA {
    together[4 * fours + t] = sum_of_lanes(sum(Index<4 * fours + t.value>{}));
  });
  if (together == out) return;
  unroll<R>([&](auto i) CORTEX_LAMBDA {
    unroll<N>([&](auto j) CORTEX_LAMBDA { out[i * pitch + j] = apart[i * N + j]; });
  });
}

// One column and short rows: one row after the other, as memory has them, four sums along each. Most
// prefetchers lose rows that are walked side by side within a page. AMD EPYC (Zen 5), microseconds by eight
// rows together and by one: 512x128 times 128x1, 1.96 and 1.45; 2048x100 times 100x1, 8.3 and 7.3; 1024x1024
// times 1024x1, 41 and 42. AVX2, which loads B twice as often, loses 8 %.
constexpr bool by_row = lanes == 16;
constexpr int64_t least_of_row = 4 * lanes, longest_row = 1024;  // elements, bytes
constexpr int64_t page_ahead = 4096;

CORTEX_INLINE Vec dot_of_row(const char* a, const char* b, int64_t k) {
  const float* x = reinterpret_cast<const float*>(a);
  const float* y = reinterpret_cast<const float*>(b);
  Vec sum[4];
  unroll<4>([&](auto i) CORTEX_LAMBDA { sum[i] = zero(); });
#pragma GCC unroll 1
  for (; k >= 4 * lanes; k -= 4 * lanes, x += 4 * lanes, y += 4 * lanes) {
    unroll<4>([&](auto i)
                  CORTEX_LAMBDA { Product::accumulate(sum[i], load(x + i * lanes), load(y + i * lanes)); });
  }
#pragma GCC unroll 1
  for (; k >= lanes; k -= lanes, x += lanes, y += lanes) Product::accumulate(sum[0], load(x), load(y));
  if (k > 0) {
    const Mask mask = first_lanes(k);
    Product::accumulate(sum[1], load(mask, x), load(mask, y));
  }
  return add(add(sum[0], sum[1]), add(sum[2], sum[3]));
}

// Four rows side by side, for prefetchers that follow them: B is loaded once. From L3 on they follow too
// late, so later rows, about a page ahead, are asked for. AMD EPYC (Zen 4), times 128x1, microseconds without
// and with: 2048x128 10.6 and 10.7; 16384x128 103 and 88; 60000x128, from memory, 1450 and 815.
CORTEX_INLINE void dots_of_four_rows(const char* a, int64_t lda, const char* b, int64_t k, Vec (&sum)[4]) {
  const float* y = reinterpret_cast<const float*>(b);
  const float* x[4];
  Vec other[4];
  unroll<4>([&](auto i) CORTEX_LAMBDA {
    x[i] = reinterpret_cast<const float*>(a + i * lda);
    sum[i] = other[i] = zero();
  });
  const int64_t four = 4 * (lda > 0 ? lda : page_ahead);
  const int64_t ahead = four < page_ahead ? page_ahead / four * four : four;
  int64_t at = 0;
#pragma GCC unroll 1
  for (; at + 2 * lanes <= k; at += 2 * lanes) {
    unroll<4>([&](auto i) CORTEX_LAMBDA {
      const char* const later = reinterpret_cast<const char*>(x[i] + at) + ahead;
      __builtin_prefetch(later);
      __builtin_prefetch(later + 4 * lanes);
    });
    const Vec y0 = load(y + at), y1 = load(y + at + lanes);
    unroll<4>([&](auto i) CORTEX_LAMBDA {
      Product::accumulate(sum[i], load(x[i] + at), y0);
      Product::accumulate(other[i], load(x[i] + at + lanes), y1);
    });
  }
#pragma GCC unroll 1
  for (; at < k; at += lanes) {
    const Mask mask = first_lanes(k - at < lanes ? k - at : lanes);
    const Vec rest = load(mask, y + at);
    unroll<4>([&](auto i) CORTEX_LAMBDA { Product::accumulate(sum[i], load(mask, x[i] + at), rest); });
  }
  unroll<4>([&](auto i) CORTEX_LAMBDA { sum[i] = add(sum[i], other[i]); });
}

__attribute__((noinline)) void dots_by_row(const cortex_brgemm_args* args, float* out, int64_t pitch) {
  const char* a = static_cast<const char*>(args->a_addresses ? args->a_addresses[0] : args->a);
  const char* b = static_cast<const char*>(args->a_addresses ? args->b_addresses[0] : args->b);
  if (!args->a_addresses && args->a_offsets) {
    a += args->a_offsets[0];
    b += args->b_offsets[0];
  }
  const int64_t lda = args->lda, k = args->k;
  int64_t left = args->m;
  const bool side_by_side = follows_rows_of_page();
#pragma GCC unroll 1
  for (; left >= 4; left -= 4, a += 4 * lda, out += 4 * pitch) {
    Vec sum[4];
    if (side_by_side) {
      dots_of_four_rows(a, lda, b, k, sum);
    } else {
      unroll<4>([&](auto i) CORTEX_LAMBDA { sum[i] = dot_of_row(a + i * lda, b, k); });
    }
    float four[4];
    float* const together = pitch == 1 ? out : four;
    store_sums(together, sum[0], sum[1], sum[2], sum[3]);
    if (pitch == 1) continue;
    unroll<4>([&](auto i) CORTEX_LAMBDA { out[i * pitch] = four[i]; });
  }
#pragma GCC unroll 1
  for (; left > 0; --left, a += lda, out += pitch) *out = sum_of_lanes(dot_of_row(a, b, k));
}

using DotsBody = void (*)(const cortex_brgemm_args*, int64_t, float*, int64_t);

template <int NR>
struct DotsTable {
  DotsBody body[NR][8];  // [n - 1][rows - 1]
};

template <int NR>
constexpr DotsTable<NR> make_dots() {
  DotsTable<NR> table{};
  unroll<NR>([&](auto j) {
    unroll<dots_rows(j.value + 1)>([&](auto i) { table.body[j][i] = dots_body<i.value + 1, j.value + 1>; });
  });
  return table;
}

// Sums, `pitch` elements apart, to C: added to it, finished by the epilogue.
__attribute__((noinline)) void finish_dots(const cortex_brgemm_args* args, const float* sums, int64_t pitch) {
#pragma GCC unroll 1
  for (int64_t row = 0; row < args->m; ++row) {
#pragma GCC unroll 1
    for (int64_t column = 0; column < args->n; column += lanes) {
      const int64_t n = args->n - column < lanes ? args->n - column : lanes;
      RegisterTile<1, 1, true> tile;
      tile.mask = first_lanes(n);
      tile.v[0][0] = load(tile.mask, sums + row * pitch + column);
      TilePlace place = place_of(args);
      place.c += row * args->ldc + column * 4;
      place.n = n;
      if (place.bias_n) place.bias_n += column;
      if (place.bias_m) place.bias_m += row;
      if (place.residual) place.residual += row * place.ld_residual + column * 4;
      tile.to_memory(args->flags, args->epilogue, place);
    }
  }
}

template <int MR, int NR>
CORTEX_INLINE void brgemm_dots(const cortex_brgemm_args* args) {
  static constexpr DotsTable<NR> table = make_dots<NR>();
  if (args->m <= 0 || args->n <= 0) return;
  constexpr int64_t row_of_sums = (NR + lanes - 1) / lanes * lanes;
  alignas(64) float sums[MR * row_of_sums];
  const bool in_place = args->flags == 0;
  float* out = in_place ? static_cast<float*>(args->c) : sums;
  const int64_t pitch = in_place ? args->ldc / 4 : row_of_sums;
  if constexpr (by_row) {
    if (args->n == 1 && args->batch == 1 && args->k >= least_of_row && args->lda <= longest_row) {
      dots_by_row(args, out, pitch);
      if (!in_place) finish_dots(args, sums, pitch);
      return;
    }
  }
  // Groups of rows as equal as can be: a row alone would wait for its own sums.
  const int64_t most = dots_rows(static_cast<int>(args->n));
  const int64_t groups = (args->m + most - 1) / most, each = args->m / groups, longer = args->m % groups;
  int64_t row = 0;
#pragma GCC unroll 1
  for (int64_t i = 0; i < groups; ++i) {
    const int64_t rows = each + (i < longer);
    table.body[args->n - 1][rows - 1](args, row, out + row * pitch, pitch);
    row += rows;
  }
  if (!in_place) finish_dots(args, sums, pitch);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BRGEMM_DOTS(mr, nr, isa)                                                           \
  extern "C" void cortex_brgemm_f32_f32_f32_##mr##x##nr##x1_dots_##isa(const cortex_brgemm_args* args) { \
    cortex::brgemm_dots<mr, nr>(args);                                                                   \
  }
