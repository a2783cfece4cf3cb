// The one body of every BRGEMM kernel. An ISA file includes its vector vocabulary, then what a product is
// (product_<type>...h), then this.
//
// The body is instantiated for every number of rows and of vectors that a kernel's register tile admits,
// so that an edge tile costs what it computes. Accumulators stay in registers across the whole batch; the
// last vector is masked when n is no multiple of the lanes.
#pragma once

#include <stddef.h>

#include "cortex/microkernels.h"
#include "microkernels/brgemm/accumulators.h"
#include "microkernels/brgemm/batch.h"
#include "microkernels/brgemm/brgemm_dot.h"
#include "microkernels/brgemm/brgemm_plain.h"
#include "microkernels/vector/tile.h"
#include "support/cpu_model.h"

namespace cortex {
namespace {

template <int M>
void dot_body(const cortex_brgemm_args* args, Mask mask, const Part* part) {
  Dots<M> dots;
  dots.clear();
  const int64_t lda = args->lda, k = args->k;
  for_each_in_batch(args, part,
                    [&](const char* a, const char* b) CORTEX_LAMBDA { dots.multiply(a, lda, b, k); });
  RegisterTile<M, 1, true> tile;
  tile.mask = mask;
  unroll<M>([&](auto i) CORTEX_LAMBDA { tile.v[i][0] = Product::sum_of_lanes(dots.acc[i]); });
  if (part && part->start) Product::add_from(tile, part->start, part->start_pitch);
  Product::to_memory(tile, args->flags, args->epilogue, place_of(args));
}

// NV: vectors of a whole panel's rows, where the body makes use of that, else 0.
template <int M, int N, int NV, bool Masked, bool Half>
void brgemm_body(const cortex_brgemm_args* args, Mask mask, const Part* part) {
  if constexpr (N == 1 && Masked && Half == Product::has_halves) {
    if (args->n == 1 && args->ldb == sizeof(float)) return dot_body<M>(args, mask, part);
  }
  using Sums = Accumulators<M, N, Masked, Half>;
  bool asks = false;  // a call: before registers are taken
  if constexpr (Sums::wide) asks = args->k * args->ldb >= stream_bytes && !follows_wide_rows();
  Sums accumulators;
  accumulators.tile.mask = mask;
  accumulators.clear();
  RowsOfC of_c;
  if constexpr (M > 1) {
    if (args->c_far == 1) of_c.of(args, M);
    if constexpr (!Sums::asks_for_c_meanwhile) of_c.ask_all(args);
  }
  // Windows of few channels, 3x3 of 3 for one, have elements of less than a line, which go by four steps.
  const bool by_lines = Sums::in_lines && args->k >= line_steps;
  if (by_lines) {
    if constexpr (Sums::in_lines) {
      Asks on_the_way(args, 1);
      constexpr int pitch = Masked ? 0 : NV * lanes * 4;
      const bool panel = pitch > 0 && args->ldb == pitch;
      for_each_in_batch(args, part, [&](const char* a, const char* b) CORTEX_LAMBDA {
        on_the_way.template ask_in_element<N * lanes * 4>();
        if (panel) return accumulators.template multiply_in_lines<pitch>(args, a, b, on_the_way);
        accumulators.template multiply_in_lines<0>(args, a, b, on_the_way);
      });
    }
  } else {
    NextRows next(args);
    for_each_in_batch(args, part, [&](const char* a, const char* b) CORTEX_LAMBDA {
      if constexpr (Sums::wide) {
        if (asks) return accumulators.template multiply<true>(args, a, b, next, of_c);
      }
      accumulators.template multiply<false>(args, a, b, next, of_c);
    });
  }
  RegisterTile<M, N, Masked>& tile = accumulators.sum();
  if (part && part->start) Product::add_from(tile, part->start, part->start_pitch);
  Product::to_memory(tile, args->flags, args->epilogue, place_of(args));
}

using Body = void (*)(const cortex_brgemm_args*, Mask, const Part*);

// Where masked loads cost what plain ones do, one body serves full and partial last vectors, and another one
// those of which half is enough.
constexpr bool two_bodies = !masks_are_free || Product::has_halves;
CORTEX_INLINE bool takes_second(int64_t tail) {
  if (Product::has_halves) return tail <= lanes / 2;
  return !masks_are_free && tail != lanes;
}

template <int MR, int NV>
struct BodyTable {
  Body body[two_bodies ? 2 : 1][MR][NV];  // [takes_second][m - 1][vectors - 1]
};

template <int MR, int NV>
constexpr BodyTable<MR, NV> make_bodies() {
  BodyTable<MR, NV> table{};
  unroll<MR>([&](auto i) {
    unroll<NV>([&](auto j) {
      constexpr int m = i.value + 1, n = j.value + 1;
      constexpr bool panels = !masks_are_free && Accumulators<m, n, masks_are_free, false>::in_lines;
      constexpr int panel_vectors = panels ? NV : 0;
      table.body[0][i][j] = brgemm_body<m, n, panel_vectors, masks_are_free, false>;
      if constexpr (two_bodies) table.body[1][i][j] = brgemm_body<m, n, 0, true, Product::has_halves>;
    });
  });
  return table;
}

// The product of a group's rows alone, to a copy of C.
CORTEX_INLINE cortex_brgemm_args rows_of_group(const cortex_brgemm_args* args, RowRange range, float* sums,
                                               int64_t pitch, bool first) {
  cortex_brgemm_args group;
  __builtin_memcpy(&group, args, offsetof(cortex_brgemm_args, epilogue));
  group.epilogue = {};
  group.m = range.end - range.begin;
  group.c = sums + range.begin * pitch;
  group.ldc = pitch * 4;
  group.flags = first ? 0 : CORTEX_TILE_ACCUMULATE;
  group.c_far = 0;
  group.next_rows = 0;  // the whole tile asks
  return group;
}

// Elements that do not reach all rows: those of equal rows together, each group by the body of a smaller
// tile, into sums that the body of the whole tile starts from.
template <int MR, int NV>
__attribute__((noinline)) void brgemm_at_edge(const cortex_brgemm_args* args, const BodyTable<MR, NV>& table,
                                              int second, int64_t last, Mask mask) {
  RowRange rows[CORTEX_MAX_WINDOW_TAPS];
  rows_inside(args->window, args->m, rows);
  alignas(64) float sums[MR * NV * lanes];
  const int64_t pitch = (last + 1) * lanes, taps = args->window.taps;
  const RowRange whole = {0, static_cast<int32_t>(args->m)};
  Part part = {rows, taps, whole, nullptr, pitch * 4};
  for (int64_t t = 0; t < taps; ++t) {
    const RowRange range = rows[t];
    bool done = range.end <= range.begin || same(range, whole);
    for (int64_t earlier = 0; earlier < t && !done; ++earlier) done = same(range, rows[earlier]);
    if (done) continue;
    const bool first = !part.start;
    if (first) {
      for (int64_t i = 0; i < range.begin * pitch; i += lanes) store(sums + i, zero());
      for (int64_t i = range.end * pitch; i < args->m * pitch; i += lanes) store(sums + i, zero());
      part.start = reinterpret_cast<const char*>(sums);
    }
    const cortex_brgemm_args group = rows_of_group(args, range, sums, pitch, first);
    const Part of_group = {rows, taps, range, nullptr, 0};
    table.body[second][group.m - 1][last](&group, mask, &of_group);
  }
  table.body[second][args->m - 1][last](args, mask, &part);
}

template <int MR, int NR>
CORTEX_INLINE void brgemm_tile(const cortex_brgemm_args* args) {
  static constexpr BodyTable<MR, NR / lanes> table = make_bodies<MR, NR / lanes>();
  const int64_t last = (args->n - 1) / lanes;
  const int64_t tail = args->n - last * lanes;
  const int second = takes_second(tail);
  const Mask mask = first_lanes(tail);
  if (leaves_input(args->window, args->m)) {
    return brgemm_at_edge<MR, NR / lanes>(args, table, second, last, mask);
  }
  table.body[second][args->m - 1][last](args, mask, nullptr);
}

// More rows than a tile has: tiles one below another.
template <int MR, int NR>
__attribute__((noinline)) void brgemm_tiles(const cortex_brgemm_args* args, int64_t tiles) {
  cortex_brgemm_args tile = *args;
  const int64_t height = args->m / tiles, higher = args->m % tiles;
  int64_t left = args->next_rows;
  const int64_t share = left > 0 ? (left + tiles - 1) / tiles : 0;
  for (int64_t i = 0; i < tiles; ++i) {
    tile.m = height + (i < higher);
    tile.next_rows = share < left ? share : left;
    brgemm_tile<MR, NR>(&tile);
    tile.a = static_cast<const char*>(tile.a) + tile.m * args->lda;
    tile.c = static_cast<char*>(tile.c) + tile.m * args->ldc;
    tile.window.at += tile.m * args->window.step;
    if (tile.epilogue.bias_m) tile.epilogue.bias_m += tile.m;
    if (tile.epilogue.residual)
      tile.epilogue.residual =
          static_cast<const char*>(tile.epilogue.residual) + tile.m * args->epilogue.ld_residual;
    if (tile.next_rows > 0) {
      left -= tile.next_rows;
      tile.next = static_cast<const char*>(tile.next) + tile.next_rows * args->next_ld;
    }
  }
}

// Of a call that walks rows, the tile of `rows` from `row` on, which asks for no rows of the next B.
template <int MR, int NR>
__attribute__((noinline)) void brgemm_rows(const cortex_brgemm_args* args, int64_t row, int64_t rows) {
  cortex_brgemm_args tile = *args;
  tile.a = static_cast<const char*>(args->a) + row * args->lda;
  tile.c = static_cast<char*>(args->c) + row * args->ldc;
  tile.m = rows;
  tile.window.at += row * args->window.step;
  tile.next_rows = 0;
  brgemm_tile<MR, NR>(&tile);
}

// How many tiles a call is: bands of them, or as few as can be.
template <int MR>
CORTEX_INLINE int64_t tiles_of(const cortex_brgemm_args* args) {
  if (__builtin_expect(args->m <= MR && args->bands <= 1, 1)) return 1;
  const int64_t fewest = (args->m + MR - 1) / MR;
  const int64_t wanted = args->bands < args->m ? args->bands : args->m;
  return wanted > fewest ? wanted : fewest;
}

template <int MR, int NR>
CORTEX_INLINE void brgemm(const cortex_brgemm_args* args) {
  if (args->m <= 0 || args->n <= 0) return;
  const int64_t tiles = tiles_of<MR>(args);
  if constexpr (MR > 1 && has_plain_bodies) {
    static constexpr PlainTable<MR, NR / lanes> plain = make_plain_bodies<MR, NR / lanes>();
    if (args->n % lanes == 0 && is_plain<NR>(args, tiles)) {
      const int64_t last = args->n / lanes - 1;
      if (!leaves_input(args->window, args->m)) return plain.run(args, tiles, last);
      if (tiles > 2)  // with padding at both ends neither of two is inside
        return plain.run_inside(args, tiles, last,
                                [&](int64_t row, int64_t rows) { brgemm_rows<MR, NR>(args, row, rows); });
    }
  }
  if (tiles > 1) return brgemm_tiles<MR, NR>(args, tiles);
  brgemm_tile<MR, NR>(args);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BRGEMM_OF(a, b, c, mr, nr, kr, isa)                     \
  extern "C" void cortex_brgemm_##a##_##b##_##c##_##mr##x##nr##x##kr##_##isa( \
      const cortex_brgemm_args* args) {                                       \
    cortex::brgemm<mr, nr>(args);                                             \
  }
#define CORTEX_DEFINE_BRGEMM(mr, nr, isa) CORTEX_DEFINE_BRGEMM_OF(f32, f32, f32, mr, nr, 1, isa)
