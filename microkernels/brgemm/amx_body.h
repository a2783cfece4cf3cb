// The body of BRGEMM kernels on tile registers (AMX). An ISA file defines CORTEX_TILE_MULTIPLY, the
// instruction, and includes product_<type>.h before this.
//
// A call's rows and columns are cut into register tiles of 16 by 16 sums, its k into chunks of up to 16
// units. A multiplication takes a cycle per row of A, whatever the columns and units: partial tiles cost the
// columns and units they lack. Sums stay in tile registers across the whole batch.
#pragma once

#include "cortex/microkernels.h"
#include "microkernels/brgemm/batch.h"
#include "microkernels/brgemm/finish_tiles.h"
#include "microkernels/brgemm/tiles_amx.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// MT by NT tiles of sums are registers 0 to 3; A and B get the rest. The last of A's and of B's have
// registers of their own, because their shapes differ from the others'.
template <int MT, int NT>
struct TileRegisters {
  static_assert(MT * NT <= 4 && (MT == 1 || NT <= 2));
  static constexpr int first_b = MT == 1 ? 5 : MT == 2 ? 6 : 7;
  static constexpr int c(int i, int j) { return i * NT + j; }
  static constexpr int a(int i) { return i < MT - 1 ? 4 + i % 2 : MT > 2 ? 6 : 3 + MT; }
  static constexpr int b(int j) { return j < NT - 1 ? first_b + j % 2 : NT > 1 ? 7 : first_b; }
};

template <int C, int A, int B>
CORTEX_INLINE void multiply_tiles() {
  asm volatile(CORTEX_TILE_MULTIPLY " %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
}

// How one call's k is cut: into equal chunks as far as that goes, or a shorter one at the end, which passes
// through copies filled with zeros.
struct Chunks {
  int64_t units, whole, left;

  CORTEX_INLINE explicit Chunks(int64_t k) {
    const int64_t count = k > 0 ? (k + tile_units - 1) / tile_units : 1;
    units = k > 0 ? (k + count - 1) / count : 1;
    whole = k / units;
    left = k - whole * units;
  }
};

// A turn of finishing loads the columns' constants anew.
constexpr int64_t least_turns = 2;

// The rows of B that a later call will read (see cortex_brgemm_args), asked for evenly along the chunks, to
// L2.
template <int NT>
struct RowsToCome {
  const char* row;
  int64_t pitch, left, each;

  CORTEX_INLINE RowsToCome(const cortex_brgemm_args* args, int64_t chunks)
      : row(static_cast<const char*>(args->next)), pitch(args->next_ld), left(args->next_rows), each(0) {
    if (left > 0 && chunks > 0) each = (left + chunks - 1) / chunks;
  }
  CORTEX_INLINE void ask() {
    if (__builtin_expect(left <= 0, 1)) return;
    const int64_t now = each < left ? each : left;
    left -= now;
    for (int64_t i = 0; i < now; ++i, row += pitch) {
      unroll<NT>([&](auto j) CORTEX_LAMBDA { __builtin_prefetch(row + 64 * j, 0, 2); });
    }
  }
};

template <int MT, int NT>
struct TileBlock {
  using Registers = TileRegisters<MT, NT>;

  const cortex_brgemm_args* args;
  cortex_tiles* tiles;
  Chunks chunks;
  bool banded;
  int64_t a_step, c_step;  // bytes from one register tile's rows to the next one's
  int64_t turns;           // of finishing what is unfinished, after each chunk

  CORTEX_INLINE TileBlock(const cortex_brgemm_args* of, cortex_tiles* series)
      : args(of),
        tiles(series),
        chunks(of->k),
        banded(of->bands > 1),
        a_step(banded ? of->a_band : tile_rows * of->lda),
        c_step(banded ? of->c_band : tile_rows * of->ldc) {
    turns = 0;
    const uint64_t mine = turn_of(tiles);
    if (!(tiles->unfinished & mine)) return;
    const int64_t all = chunks.whole * args->batch;
    if (all > 0) turns = (unfinished(tiles, mine).turns + all - 1) / all;
    if (turns < least_turns) turns = least_turns;
  }

  // Rows of register tile i.
  CORTEX_INLINE int64_t rows_of(int i) const {
    return banded ? args->m : i < MT - 1 ? tile_rows : args->m - (MT - 1) * tile_rows;
  }

  // What the registers' shapes depend on, and which body gave them out. Never 0.
  CORTEX_INLINE uint64_t shape() const {
    return static_cast<uint64_t>(args->m | args->n << 8 | chunks.units << 16 |
                                 (banded * 64 + MT * 8 + NT) << 24);
  }

  __attribute__((noinline)) void configure() const {
    TileConfig config = {};
    config.palette = 1;
    const int64_t last_units = args->n - (NT - 1) * tile_units;
    unroll<MT>([&](auto i) CORTEX_LAMBDA {
      const int64_t rows = rows_of(i);
      config.set(Registers::a(i), rows, chunks.units);
      unroll<NT>([&](auto j) CORTEX_LAMBDA {
        config.set(Registers::c(i, j), rows, j < NT - 1 ? tile_units : last_units);
      });
    });
    unroll<NT>([&](auto j) CORTEX_LAMBDA {
      config.set(Registers::b(j), chunks.units, j < NT - 1 ? tile_units : last_units);
    });
    load_config(config);
  }

  template <typename Use>
  CORTEX_INLINE static void each_sum(Use use) {
    unroll<MT>([&](auto i) CORTEX_LAMBDA { unroll<NT>([&](auto j) CORTEX_LAMBDA { use(i, j); }); });
  }

  CORTEX_INLINE void start() const {
    if (args->flags & CORTEX_TILE_ACCUMULATE) {
      const char* c = static_cast<const char*>(args->c);
      const int64_t ldc = args->ldc;
      each_sum([&](auto i, auto j) CORTEX_LAMBDA {
        load_tile<Registers::c(i.value, j.value)>(c + i * c_step + j * 64, ldc);
      });
    } else {
      each_sum([&](auto i, auto j) CORTEX_LAMBDA { zero_tile<Registers::c(i.value, j.value)>(); });
    }
  }

  // B's tiles first: where they come from L2, A's follow from L1. Intel Granite Rapids, nine elements of 4
  // chunks of 2x14 rows by 32 columns, B from L2: 895 ns, with A's first rows before B's second tile 943.
  CORTEX_INLINE static void chunk(const char* a, int64_t lda, int64_t a_step, const char* b, int64_t ldb) {
    if constexpr (NT <= 2) {
      unroll<NT>([&](auto j) CORTEX_LAMBDA { load_tile<Registers::b(j.value)>(b + j * 64, ldb); });
    }
    unroll<MT>([&](auto i) CORTEX_LAMBDA {
      load_tile<Registers::a(i.value)>(a + i * a_step, lda);
      unroll<NT>([&](auto j) CORTEX_LAMBDA {
        if constexpr (NT > 2) load_tile<Registers::b(j.value)>(b + j * 64, ldb);
        multiply_tiles<Registers::c(i.value, j.value), Registers::a(i.value), Registers::b(j.value)>();
      });
    });
  }

  // Vector units are idle while tiles are multiplied: they finish what a call before this one left, some of
  // it after each chunk, since more would fill the schedulers and keep the next from starting.
  CORTEX_INLINE void finish_between(Unfinished& of) const {
    if (of.turns > 0) of.some(of, of.turns < turns ? of.turns : turns);
  }

  static constexpr int64_t copy_pitch = 4 * tile_units;

  // The rows of A in `range` (of every band, where there are bands), to a copy.
  CORTEX_INLINE void copy_rows(float* copy, const char* a, RowRange range, Mask mask) const {
    const int64_t lda = args->lda, bands = banded ? MT : 1;
    for (int64_t band = 0; band < bands; ++band, a += a_step, copy += tile_rows * tile_units) {
      for (int64_t i = range.begin; i < range.end; ++i) {
        store(copy + i * tile_units, load(mask, reinterpret_cast<const float*>(a + i * lda)));
      }
    }
  }

  // The last units of k, fewer than a chunk, the rest filled with zeros.
  __attribute__((noinline)) void multiply_tail(const char* a, const char* b, RowRange range) const {
    alignas(64) float of_a[MT * tile_rows * tile_units], of_b[tile_units * NT * tile_units];
    for (float* p = of_a; p < of_a + MT * tile_rows * tile_units; p += lanes) store(p, zero());
    copy_rows(of_a, a, range, first_lanes(chunks.left));
    const Mask last = first_lanes(args->n - (NT - 1) * tile_units);
    for (int64_t l = 0; l < chunks.units; ++l, b += args->ldb) {
      float* to = of_b + l * NT * tile_units;
      unroll<NT>([&](auto j) CORTEX_LAMBDA {
        const float* from = reinterpret_cast<const float*>(b) + j * tile_units;
        Vec x = zero();
        if (l < chunks.left) x = j < NT - 1 ? load(from) : load(last, from);
        store(to + j * tile_units, x);
      });
    }
    chunk(reinterpret_cast<const char*>(of_a), copy_pitch, tile_rows * copy_pitch,
          reinterpret_cast<const char*>(of_b), NT * copy_pitch);
  }

  CORTEX_INLINE void multiply(const char* a, const char* b, RowsToCome<NT>& next) const {
    const int64_t lda = args->lda, ldb = args->ldb, units = chunks.units;
    int64_t left = chunks.whole;
    if (turns > 0 || next.left > 0 || args->a_ahead != 0) left -= multiply_beside(a, b, next);
    a += (chunks.whole - left) * 4 * units;
    b += (chunks.whole - left) * units * ldb;
#pragma GCC unroll 1
    for (; left > 0; --left) {
      chunk(a, lda, a_step, b, ldb);
      a += 4 * units;
      b += units * ldb;
    }
    if (chunks.left > 0) multiply_tail(a, b, {0, static_cast<int32_t>(args->m)});
  }

  // The rows of A that a later call reads where this one reads `a` (see cortex_brgemm_args), to L2.
  CORTEX_INLINE void ask_for_a(const char* a) const {
    a += args->a_ahead;
    const int64_t bands = banded ? MT : 1;
    for (int64_t band = 0; band < bands; ++band, a += a_step) {
      for (int64_t i = 0; i < args->m; ++i) __builtin_prefetch(a + i * args->lda, 0, 2);
    }
  }

  // As many chunks as there is something else to do beside; how many.
  __attribute__((noinline)) int64_t multiply_beside(const char* a, const char* b,
                                                    RowsToCome<NT>& next) const {
    Unfinished& of = unfinished(tiles, turn_of(tiles));
    int64_t done = 0;
    const bool asks = args->a_ahead != 0;
    for (; done < chunks.whole && ((turns > 0 && of.turns > 0) || next.left > 0 || asks); ++done) {
      chunk(a, args->lda, a_step, b, args->ldb);
      if (asks) ask_for_a(a);
      a += 4 * chunks.units;
      b += chunks.units * args->ldb;
      if (turns > 0) finish_between(of);
      next.ask();
    }
    return done;
  }

  // Elements of the batch that reach only the rows in `range`: the others are zeros of a copy.
  __attribute__((noinline)) void multiply_at_edge(const char* a, const char* b, RowRange range) const {
    alignas(64) float of_a[MT * tile_rows * tile_units];
    for (float* p = of_a; p < of_a + MT * tile_rows * tile_units; p += lanes) store(p, zero());
    const Mask mask = first_lanes(chunks.units);
    for (int64_t left = chunks.whole; left > 0; --left) {
      copy_rows(of_a, a, range, mask);
      chunk(reinterpret_cast<const char*>(of_a), copy_pitch, tile_rows * copy_pitch, b, args->ldb);
      a += 4 * chunks.units;
      b += chunks.units * args->ldb;
    }
    if (chunks.left > 0) multiply_tail(a, b, range);
  }

  CORTEX_INLINE void multiply_batch() const {
    RowsToCome<NT> next(args, chunks.whole * args->batch);
    if (!leaves_input(args->window, args->m)) {
      for_each_in_batch(args, nullptr,
                        [&](const char* a, const char* b) CORTEX_LAMBDA { multiply(a, b, next); });
      return;
    }
    RowRange rows[CORTEX_MAX_WINDOW_TAPS];
    rows_inside(args->window, args->m, rows);
    int64_t tap = 0;
    for_each_in_batch(args, nullptr, [&](const char* a, const char* b) CORTEX_LAMBDA {
      const RowRange range = rows[tap];
      tap = tap + 1 == args->window.taps ? 0 : tap + 1;
      if (range.end <= range.begin) return;
      if (same(range, {0, static_cast<int32_t>(args->m)})) return multiply(a, b, next);
      multiply_at_edge(a, b, range);
    });
  }

  // Register tile i to `to` + i * `step`.
  CORTEX_INLINE void store_sums(void* to, int64_t pitch, int64_t step) const {
    each_sum([&](auto i, auto j) CORTEX_LAMBDA {
      store_tile<Registers::c(i.value, j.value)>(static_cast<char*>(to) + i * step + j * 64, pitch);
    });
  }
};

template <int MT, int NT>
void tiles_body(const cortex_brgemm_args* args, cortex_tiles* tiles) {
  const TileBlock<MT, NT> block(args, tiles);
  if (tiles->configured != block.shape()) {
    block.configure();
    tiles->configured = block.shape();
  }
  block.start();
  block.multiply_batch();
  if (!(args->flags & CORTEX_TILE_EPILOGUE)) return block.store_sums(args->c, args->ldc, block.c_step);
  constexpr int64_t pitch = NT * tile_units, tile = tile_rows * pitch;
  const uint64_t mine = turn_of(tiles);
  finish_rest(tiles, mine);
  Unfinished& of = unfinished(tiles, mine);
  block.store_sums(of.sums, 4 * pitch, 4 * tile);
  if (const auto way = way_to_finish<Product::of_integers, NT>(args)) {
    describe<NT>(of, args, way);
    tiles->unfinished = (tiles->unfinished | mine) ^ second_turn;
    return;
  }
  const int64_t bands = block.banded ? MT : 1;
  for (int64_t band = 0; band < bands; ++band) finish_band<NT>(args, of.sums + band * tile, band);
}

CORTEX_INLINE void end_series(cortex_tiles* tiles) {
  finish_rest(tiles, 1);
  finish_rest(tiles, 2);
  if (tiles->configured) release_tiles();
  tiles->configured = tiles->unfinished = 0;
}

template <int MR, int NR>
CORTEX_INLINE void brgemm_tiles(const cortex_brgemm_args* args) {
  constexpr int most_rows = MR / tile_rows, most_columns = NR / tile_units;
  if (args->m <= 0 || args->n <= 0) return;
  const int64_t mt = args->bands > 1 ? args->bands - 1 : (args->m - 1) / tile_rows,
                nt = (args->n - 1) / tile_units;
  cortex_tiles own;
  own.configured = own.unfinished = 0;
  cortex_tiles* const tiles = args->tiles ? args->tiles : &own;
  unroll<most_rows>([&](auto i) CORTEX_LAMBDA {
    unroll<most_columns>([&](auto j) CORTEX_LAMBDA {
      if (mt == i.value && nt == j.value) tiles_body<i.value + 1, j.value + 1>(args, tiles);
    });
  });
  if (!args->tiles) end_series(tiles);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_BRGEMM_TILES(a, b, c, mr, nr, kr)                                                      \
  extern "C" void cortex_brgemm_##a##_##b##_##c##_##mr##x##nr##x##kr##_amx(const cortex_brgemm_args* args) { \
    cortex::brgemm_tiles<mr, nr>(args);                                                                      \
  }
