// The sums of a tile: accumulators that stay in registers while a batch's elements are multiplied, and what
// is asked for ahead meanwhile.
#pragma once

#include "microkernels/brgemm/batch.h"
#include "microkernels/vector/rows.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// FMA latency times FMAs per cycle is 8 on current cores: fewer accumulators than this wait for one
// another. A few more absorb jitter.
constexpr int accumulators_in_flight = 12;

// How many copies of the tile take turns along k: enough to keep the FMA units busy, as registers allow.
constexpr int accumulator_sets(int m, int n) {
  int sets = 1;
  while (sets < 8 && sets * m * n < accumulators_in_flight &&
         2 * sets * m * n + n + 1 + Product::extra_registers(n) < vector_registers) {
    sets *= 2;
  }
  return sets;
}

// B of a wide row is asked for ahead where it cannot be in L2. In L2 the extra instructions would cost more
// than they bring. AMD EPYC (Zen 5), one row times 1024x1024 from L3: 47 GFLOP/s without, 60 with; times
// 256x256 from L2: 119 without, 69 with. Some CPUs follow such rows by themselves.
constexpr int64_t stream_bytes = 512 << 10;
constexpr int rows_ahead = 4;

// The rows that a later call will read (see cortex_brgemm_args), asked for evenly along the reduction. They
// go to L2: L1 holds what this call reads.
struct NextRows {
  const cortex_brgemm_args* args;
  const char* row;
  int64_t left;

  CORTEX_INLINE explicit NextRows(const cortex_brgemm_args* of)
      : args(of), row(static_cast<const char*>(of->next)), left(of->next_rows) {}

  // A row that does not start with a line ends in one line more.
  template <int Bytes>
  CORTEX_INLINE void ask_one() {
    CORTEX_UNROLL
    for (int byte = 0; byte < Bytes; byte += 64) __builtin_prefetch(row + byte, 0, 2);
    __builtin_prefetch(row + Bytes - 4, 0, 2);
    // From memory: the loops around have no register to spare.
    row += *static_cast<const volatile int64_t*>(&args->next_ld);
    --left;
  }
  template <int Bytes>
  CORTEX_INLINE void ask_rows(int64_t count) {
    for (int64_t end = left > count ? left - count : 0; left > end;) ask_one<Bytes>();
  }
  // `turns`: how often this is called from here on. Two rows a turn are the most that pays.
  template <int Bytes>
  CORTEX_INLINE void ask(int64_t turns) {
    if (__builtin_expect(left <= 0, 1)) return;  // out of the main loop's way
    ask_one<Bytes>();
    if (left >= turns) ask_one<Bytes>();
  }
};

// The lines of C, asked for to be written: at the end of the sum the stores find them.
struct RowsOfC {
  const char* row = nullptr;
  int64_t left = 0, bytes = 0;

  CORTEX_INLINE void of(const cortex_brgemm_args* args, int64_t rows) {
    row = static_cast<const char*>(args->c);
    left = rows;
    int64_t size = 4;
    if constexpr (Product::is_narrow) {
      if (args->flags & CORTEX_TILE_EPILOGUE) size = size_of_element(args->epilogue.c_type);
    }
    bytes = args->n * size;
  }

  CORTEX_INLINE void ask_one(const cortex_brgemm_args* args) {
    const char* line = row;
    const char* const last = row + bytes - 1;
#pragma GCC unroll 1
    for (; line < last; line += 64) prefetch_to_write(line);
    prefetch_to_write(last);
    row += *static_cast<const volatile int64_t*>(&args->ldc);
    --left;
  }
  CORTEX_INLINE void ask_all(const cortex_brgemm_args* args) {
#pragma GCC unroll 1
    while (left > 0) ask_one(args);
  }
  // `turns`: how often this is called from here on.
  CORTEX_INLINE void ask(const cortex_brgemm_args* args, int64_t turns) {
    if (__builtin_expect(left <= 0, 1)) return;  // out of the main loop's way
#pragma GCC unroll 1
    do {
      ask_one(args);
    } while (left >= turns);
  }
};

// Steps of k that a line of A has.
constexpr int line_steps = 16;

// What a call asks for on the way, see multiply_in_lines(): for the rows of B that come next once in every
// element of its batch, or where it is the only one, in every line, of which k < 16 has none. Rows that lie
// together are asked for line by line: where two hardware threads share a core, each instruction beside the
// multiply-adds counts. EPYC (Zen 3), AVX2, 1024 channels to 480, 9 pixels, microseconds alone on the core
// and shared, row by row: 122 and 169, line by line: 113 and 155.
struct Asks {
  NextRows next;
  int64_t share = 0;  // of the rows, or of pairs of lines, each time
  bool in_elements, in_lines, adjacent;

  // `calls`: how many such calls share what is asked for.
  CORTEX_INLINE Asks(const cortex_brgemm_args* args, int64_t calls)
      : next(args),
        in_elements(args->next_rows > 0 && args->batch > 1),
        in_lines((args->a_ahead | args->b_ahead) != 0 || (args->next_rows > 0 && args->batch == 1)),
        adjacent(args->next_ld == args->n * 4) {
    if (args->next_rows <= 0) return;
    const int64_t times = calls * (in_elements ? args->batch : args->k / line_steps);
    if (adjacent) next.left = (args->next_rows * args->next_ld + 127) / 128;
    share = times > 1 ? (next.left + times - 1) / times : next.left;
  }

  template <int Bytes>
  CORTEX_INLINE void ask() {
    if (!adjacent) return next.ask_rows<Bytes>(share);
    const char* line = next.row;
    const int64_t pairs = share < next.left ? share : next.left;
    next.left -= pairs;
#pragma GCC unroll 1
    for (int64_t i = pairs; i > 0; --i, line += 128) {
      __builtin_prefetch(line, 0, 2);
      __builtin_prefetch(line + 64, 0, 2);
    }
    next.row = line;
  }
  template <int Bytes>
  CORTEX_INLINE void ask_in_element() {
    if (__builtin_expect(in_elements, 0)) ask<Bytes>();
  }
};

// Half: of the last vector only the lower half counts.
template <int M, int N, bool Masked, bool Half>
struct Accumulators {
  static constexpr int sets = accumulator_sets(M, N);
  // One wide row streams B: one load instruction per vector keeps a steady stride for the prefetchers.
  static constexpr bool wide = M == 1 && N >= 8;
  static constexpr int k_unroll = sets > 4 ? sets : wide ? 1 : 4;
  // What is asked for ahead. More base pointers of rows leave so few registers that g++ 12 would spill: with
  // a third one for B's next rows, which one vector hardly needs, on AVX2 with a second one for A too.
  static constexpr bool asks_for_next = M > 1 && M <= 16 && (lanes > 8 || N > 1 || M < 8);
  static constexpr bool asks_for_a = M > 1 && (M <= 8 || lanes > 8);
  // Of C, evenly along the reduction instead of in one go before it, where its instructions would be between
  // two tiles' products. EPYC (Zen 4), 7x64 elements of bf16: 20 cycles.
  static constexpr bool asks_for_c_meanwhile = M >= 4 && M <= 8 && N > 1 && lanes > 8;
  static constexpr bool in_lines = M > 1 && lanes == 8 && !Product::is_narrow;
  static constexpr bool asks_for_b = M > 1 && M <= 8 && k_unroll == 4 && lanes > 4;
  static constexpr bool asks_on_the_way = asks_for_next || asks_for_a || asks_for_b;

  Vec acc[sets][M * N];
  RegisterTile<M, N, Masked> tile;  // its mask, and the sum in the end

  CORTEX_INLINE void clear() {
    unroll<sets>([&](auto s)
                     CORTEX_LAMBDA { unroll<M * N>([&](auto t) CORTEX_LAMBDA { acc[s][t] = zero(); }); });
  }

  template <int J>
  CORTEX_INLINE static void accumulate(Vec& sum, Vec x, Vec b) {
    if constexpr (Half && J == N - 1) {
      Product::accumulate_half(sum, x, b);
    } else {
      Product::accumulate(sum, x, b);
    }
  }
  template <int Row, int Disp, int J>
  CORTEX_INLINE static void accumulate_row(const RowPointers<M>& a, Vec& sum, Vec b) {
    if constexpr (Half && J == N - 1) {
      a.template accumulate_half_row<Row, Disp>(sum, b);
    } else {
      a.template accumulate_row<Row, Disp>(sum, b);
    }
  }

  // Adds the outer product of A's column L, counted from the row pointers, and B's row at b.
  template <int L>
  CORTEX_INLINE void step(const RowPointers<M>& a, const char* b) {
    constexpr int s = L % sets;
    // Where accumulators, B's row and one value of A are more than the registers (7x64), the row's last
    // vector waits until the others are done with, and A's values are read again with it. Reading it from
    // memory in each FMA instead keeps a Golden Cove core from 6 % of its FMAs.
    constexpr int held = M > 1 && M * N + N + 1 > vector_registers ? N - 1 : N;
    Vec row[N];
    CORTEX_UNROLL
    for (int j = 0; j < held; ++j) {
      row[j] = tile.load_vec(b, j);
      if constexpr (M > 1) keep(row[j]);
    }
    unroll<M>([&](auto i) CORTEX_LAMBDA {
      if constexpr (N == 1 && Product::has_broadcast) {
        accumulate_row<i.value, 4 * L, 0>(a, acc[s][i], row[0]);
      } else if constexpr (N == 3 && Product::has_fused_row3) {
        a.template accumulate_row3<i.value, 4 * L>(&acc[s][i * 3], row);
      } else if constexpr (held < N) {
        static_assert(held == 3, "the one such tile");
        a.template accumulate_row3<i.value, 4 * L>(&acc[s][i * N], row);
      } else {
        const Vec x = a.template broadcast_row<i.value, 4 * L>();
        unroll<N>([&](auto j) CORTEX_LAMBDA { accumulate<j.value>(acc[s][i * N + j], x, row[j]); });
      }
    });
    if constexpr (held < N) {
      Vec last = tile.load_vec(b, held);
      keep(last);
      unroll<M>([&](auto i) CORTEX_LAMBDA {
        if constexpr (Product::has_broadcast) {
          accumulate_row<i.value, 4 * L, held>(a, acc[s][i * N + held], last);
        } else {
          accumulate<held>(acc[s][i * N + held], a.template broadcast_row<i.value, 4 * L>(), last);
        }
      });
    }
  }

  // Asks for rows of B that later turns read (see cortex_brgemm_args), back to back. The distance comes from
  // memory: what could be computed before the loop would be, and spill.
  CORTEX_INLINE static void ask_for_rows(const char* b, const cortex_brgemm_args* args) {
    const int64_t ahead = *static_cast<const volatile int64_t*>(&args->b_ahead);
    if (__builtin_expect(ahead == 0, 1)) return;
    b += ahead;
    CORTEX_UNROLL
    for (int byte = 0; byte < k_unroll * N * lanes * 4; byte += 64) __builtin_prefetch(b + byte);
  }

  // One step after the other, B's rows `ldb` apart.
  template <int Steps>
  CORTEX_INLINE void steps(RowPointers<M>& a, const char*& b, int64_t ldb) {
    unroll<Steps>([&](auto l) CORTEX_LAMBDA {
      step<l.value>(a, b);
      b += ldb;
    });
    a.advance(4 * Steps);
  }

  // Eight steps. Pitch: bytes between B's rows where they are known: they then stand at constants from one
  // pointer. 0: they are `ldb`.
  template <int Pitch>
  CORTEX_INLINE void eight_steps(RowPointers<M>& a, const char*& b, int64_t ldb) {
    if constexpr (Pitch > 0) {
      unroll<8>([&](auto l) CORTEX_LAMBDA { step<l.value>(a, b + l * Pitch); });
      b += 8 * Pitch;
      a.advance(4 * 8);
    } else {
      steps<8>(a, b, ldb);
    }
  }

  // multiply() where vectors are few and instructions beside the multiply-adds count: what is asked for is
  // asked for once in 16 steps, for which a line of A lasts. A core shared by two threads issues half as many
  // to each. EPYC (Zen 3), AVX2, microseconds with a question every four steps and so: 1x1 windows, 1024
  // channels of 14x14 to 2048, stride 2, 2798 and 2525; 256 of 56x56 to 128, 2441 and 2321.
  template <int Pitch>
  CORTEX_INLINE void multiply_in_lines(const cortex_brgemm_args* args, const char* a_rows, const char* b,
                                       Asks& asks) {
    RowPointers<M> a(a_rows, args->lda);
    const int64_t ldb = args->ldb;
    int64_t left = args->k;
#pragma GCC unroll 1
    for (; left >= line_steps; left -= line_steps) {
      if (asks_on_the_way && __builtin_expect(asks.in_lines, 0)) ask_for_line(args, a.base[0], b, asks);
#pragma GCC unroll 1
      for (int half = 0; half < line_steps / 8; ++half) eight_steps<Pitch>(a, b, ldb);
    }
    if (left >= 8) {
      eight_steps<Pitch>(a, b, ldb);
      left -= 8;
    }
    if (left >= 4) {
      steps<4>(a, b, ldb);
      left -= 4;
    }
#pragma GCC unroll 1
    for (; left > 0; --left) steps<1>(a, b, ldb);
  }

  CORTEX_INLINE static void ask_for_line(const cortex_brgemm_args* args, const char* a, const char* b,
                                         Asks& asks) {
    if (!asks.in_elements) asks.template ask<N * lanes * 4>();
    if (args->b_ahead != 0) {
      const char* row = b + args->b_ahead;
#pragma GCC unroll 1
      for (int i = 0; i < line_steps; ++i, row += args->ldb) {
        CORTEX_UNROLL
        for (int byte = 0; byte < N * lanes * 4; byte += 64) __builtin_prefetch(row + byte);
      }
    }
    if (asks_for_a && args->a_ahead != 0) RowPointers<M>(a, args->lda).ask(args->a_ahead);
  }

  // Prefetch: asks for B's row `rows_ahead` rows before it is due.
  template <bool Prefetch>
  CORTEX_INLINE void multiply(const cortex_brgemm_args* args, const char* a_rows, const char* b,
                              NextRows& next, RowsOfC& of_c) {
    const int64_t lda = args->lda, ldb = args->ldb, k = args->k;
    RowPointers<M> a(a_rows, lda);
    const char* ahead = b + rows_ahead * ldb;
    int64_t left = k;
#pragma GCC unroll 1
    for (; left >= k_unroll; left -= k_unroll) {
      if constexpr (asks_for_b) ask_for_rows(b, args);
      if constexpr (asks_for_next) next.ask<N * lanes * 4>(left / k_unroll);
      if constexpr (asks_for_c_meanwhile) of_c.ask(args, left / k_unroll);
      // Once for every line of A. What only this needs comes from memory: there is no register to spare.
      if (asks_for_a && ((left ^ *static_cast<const volatile int64_t*>(&args->k)) & (16 - k_unroll)) == 0) {
        const int64_t by = *static_cast<const volatile int64_t*>(&args->a_ahead);
        if (__builtin_expect(by != 0, 0)) a.ask(by);
      }
      if constexpr (Prefetch) {
        CORTEX_UNROLL
        for (int line = 0; line < N * lanes / 16; ++line) __builtin_prefetch(ahead + line * 64);
        ahead += ldb;
      }
      steps<k_unroll>(a, b, ldb);
    }
    if constexpr (k_unroll > 4) {  // one accumulator alone would wait for itself
      if (left >= 4) {
        steps<4>(a, b, ldb);
        left -= 4;
      }
    }
#pragma GCC unroll 1
    for (; left > 0; --left) steps<1>(a, b, ldb);
  }

  // A tree of additions: a chain would cost its length in latency.
  template <int Sets = sets / 2>  // that others are added to
  CORTEX_INLINE void add_up_sets() {
    if constexpr (Sets > 0) {
      unroll<Sets>([&](auto s) CORTEX_LAMBDA {
        unroll<M * N>([&](auto t) CORTEX_LAMBDA { acc[s][t] = Product::add(acc[s][t], acc[s + Sets][t]); });
      });
      add_up_sets<Sets / 2>();
    }
  }

  CORTEX_INLINE RegisterTile<M, N, Masked>& sum() {
    add_up_sets();
    unroll<M * N>([&](auto t) CORTEX_LAMBDA { tile.v[t / N][t % N] = acc[0][t]; });
    return tile;
  }
};

}  // namespace
}  // namespace cortex
