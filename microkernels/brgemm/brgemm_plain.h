// Tiles of whole vectors with at most bias and ReLU to do: of one product (matmuls, 1x1 convolutions), and
// where they stand one below another of batches too (windows). What other calls could need is not asked about
// in the loop, nor around it: the next tile's multiply-adds are under way before this one's are done, if few
// instructions stand between them.
//
// AMD EPYC (Zen 3), AVX2, cycles of a call beyond its multiply-adds, A and C moving, by the other body and by
// this one: 4x24 with 64 steps 73 and 58, 128 steps 141 and 115; 6x16 with 32 steps 48 and 32, 64 steps 83
// and 71.
#pragma once

#include "cortex/microkernels.h"
#include "microkernels/brgemm/accumulators.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// Not measured with wider vectors, whose tiles are as long in time and fewer.
constexpr bool has_plain_bodies = lanes == 8 && !Product::is_narrow;

// The next `count` tiles of a call.
struct PlainTiles {
  const char* a;
  char* c;
  int64_t count;
};

// The sums of a tile whose rows of A begin at `a`. Batch: of all elements, by strides or offsets, else of
// one.
template <int M, int N, int Pitch, bool Batch>
CORTEX_INLINE void plain_sums(Accumulators<M, N, false, false>& sums, const cortex_brgemm_args* args,
                              const char* a, Asks& asks) {
  const auto* const b = static_cast<const char*>(args->b);
  if constexpr (!Batch) {
    sums.template multiply_in_lines<Pitch>(args, a, b, asks);
  } else {
    const int64_t* const a_offsets = args->a_offsets;
#pragma GCC unroll 1
    for (int64_t i = 0; i < args->batch; ++i) {
      asks.ask_in_element<N * lanes * 4>();
      const int64_t at_a = a_offsets ? a_offsets[i] : i * args->a_batch_stride;
      const int64_t at_b = a_offsets ? args->b_offsets[i] : i * args->b_batch_stride;
      sums.template multiply_in_lines<Pitch>(args, a + at_a, b + at_b, asks);
    }
  }
}

// One tile of args' call, its rows of A and C elsewhere. Pitch: of B's rows, in bytes, where it is known.
template <int M, int N, int Pitch, bool Batch>
CORTEX_INLINE void plain_tile(const cortex_brgemm_args* args, const char* a, char* c, Asks& asks,
                              bool past_caches = false) {
  Accumulators<M, N, false, false> sums;
  sums.clear();
  plain_sums<M, N, Pitch, Batch>(sums, args, a, asks);
  RegisterTile<M, N, false>& tile = sums.sum();
  if (args->flags & CORTEX_TILE_ACCUMULATE) tile.add_from(c, args->ldc);
  const cortex_epilogue& e = args->epilogue;
  if (args->flags & CORTEX_TILE_EPILOGUE) {
    if (e.bias_n) {
      Vec bias[N];
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) bias[j] = tile.load_vec(reinterpret_cast<const char*>(e.bias_n), j);
      tile.each([&](Vec x, int, int j) CORTEX_LAMBDA { return add(x, bias[j]); });
    }
    if (e.activation == CORTEX_ACTIVATION_RELU)
      tile.each([&](Vec x, int, int) CORTEX_LAMBDA { return max(zero(), x); });
  }
  const int64_t ldc = args->ldc;
  if (Batch && N % 2 == 0 && __builtin_expect(past_caches, 0)) {
    CORTEX_UNROLL
    for (int i = 0; i < M; ++i, c += ldc) {
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) store_past_caches(reinterpret_cast<float*>(c) + j * lanes, tile.v[i][j]);
    }
    return;
  }
  CORTEX_UNROLL
  for (int i = 0; i < M; ++i, c += ldc) {
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) tile.store_vec(c, j, tile.v[i][j]);
  }
}

// NV: vectors of a whole panel's rows.
template <int M, int N, int NV>
__attribute__((noinline)) void plain_call(const cortex_brgemm_args* args) {
  constexpr int pitch = NV * lanes * 4;
  const auto* const a = static_cast<const char*>(args->a);
  auto* const c = static_cast<char*>(args->c);
  Asks asks(args, 1);
  if (args->ldb == pitch) return plain_tile<M, N, pitch, false>(args, a, c, asks);
  plain_tile<M, N, 0, false>(args, a, c, asks);
}

template <int M, int N, int NV>
__attribute__((noinline)) void plain_tiles(const cortex_brgemm_args* args, PlainTiles& tiles, Asks& asks) {
  constexpr int pitch = NV * lanes * 4;
  const char* a = tiles.a;
  char* c = tiles.c;
  const bool panel = args->ldb == pitch;
#pragma GCC unroll 1
  for (int64_t left = tiles.count; left > 0; --left, a += M * args->lda, c += M * args->ldc) {
    panel ? plain_tile<M, N, pitch, false>(args, a, c, asks) : plain_tile<M, N, 0, false>(args, a, c, asks);
  }
  tiles.a = a;
  tiles.c = c;
}

// Lines written in part would be read after all.
CORTEX_INLINE bool goes_past_caches(const cortex_brgemm_args* args) {
  return args->c_far > 1 && args->n % (2 * lanes) == 0 && !(args->flags & CORTEX_TILE_ACCUMULATE) &&
         ((reinterpret_cast<uintptr_t>(args->c) | static_cast<uintptr_t>(args->ldc)) & 63) == 0;
}

// The same by the body of batches (see takes_batches()): B is in panels.
template <int M, int N, int NV>
__attribute__((noinline)) void plain_batches(const cortex_brgemm_args* args, PlainTiles& tiles, Asks& asks) {
  const char* a = tiles.a;
  char* c = tiles.c;
  const bool past_caches = goes_past_caches(args);
#pragma GCC unroll 1
  for (int64_t left = tiles.count; left > 0; --left, a += M * args->lda, c += M * args->ldc)
    plain_tile<M, N, NV * lanes * 4, true>(args, a, c, asks, past_caches);
  tiles.a = a;
  tiles.c = c;
}

// What tiles of one product are kept free of: several elements, places from a table, stores past the caches.
CORTEX_INLINE bool takes_batches(const cortex_brgemm_args* args) {
  return args->batch > 1 || args->a_offsets || args->c_far > 1;
}

// `tiles`: of the call.
template <int NR>
CORTEX_INLINE bool is_plain(const cortex_brgemm_args* args, int64_t tiles) {
  if (args->batch < 1) return false;
  if (args->a_addresses || args->c_far == 1) return false;
  if (takes_batches(args) && (tiles == 1 || args->ldb != NR * 4)) return false;
  if (!(args->flags & CORTEX_TILE_EPILOGUE)) return true;
  const cortex_epilogue& e = args->epilogue;
  if (e.residual || e.bias_m) return false;
  return e.activation == CORTEX_ACTIVATION_NONE ||
         (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f);
}

template <int MR, int NV>
struct PlainTable {
  void (*call[MR][NV])(const cortex_brgemm_args*);  // [m - 1][vectors - 1]
  void (*tiles[MR][NV])(const cortex_brgemm_args*, PlainTiles&, Asks&);
  void (*batches[MR][NV])(const cortex_brgemm_args*, PlainTiles&, Asks&);

  // All rows of a call of whole vectors, in `count` tiles whose heights differ by at most one.
  CORTEX_INLINE void run(const cortex_brgemm_args* args, int64_t count, int64_t last) const {
    if (count == 1) return call[args->m - 1][last](args);
    PlainTiles part = {static_cast<const char*>(args->a), static_cast<char*>(args->c), 0};
    Asks asks(args, count);
    const int64_t height = args->m / count, higher = args->m - height * count;
    part.count = higher;
    const auto& body = takes_batches(args) ? batches : tiles;
    if (higher > 0) body[height][last](args, part, asks);
    part.count = count - higher;
    body[height - 1][last](args, part, asks);
  }

  // The same of a window that leaves the input, in more than two tiles: those with a row of which a tap reads
  // outside are edge(first row, rows)'s. The others, taken for all but the first and the last, share the rows
  // of B that there are to ask for.
  template <typename Edge>
  CORTEX_INLINE void run_inside(const cortex_brgemm_args* args, int64_t count, int64_t last,
                                Edge edge) const {
    const CallRows inside = rows_of_all_taps(args->window, args->m);
    PlainTiles part = {static_cast<const char*>(args->a), static_cast<char*>(args->c), 0};
    Asks asks(args, count - 2);
    const int64_t height = args->m / count, higher = args->m - height * count;
    const auto& body = takes_batches(args) ? batches : tiles;
    int64_t row = 0;
    for (int64_t i = 0; i < count;) {
      const int64_t rows = height + (i < higher), alike = (i < higher ? higher : count) - i;
      const int64_t left = row < inside.begin || row >= inside.end ? 0 : (inside.end - row) / rows;
      part.count = left < alike ? left : alike;
      if (part.count > 0) {
        i += part.count;
        row += part.count * rows;
        body[rows - 1][last](args, part, asks);
      } else {
        edge(row, rows);
        part.a += rows * args->lda;
        part.c += rows * args->ldc;
        row += rows;
        ++i;
      }
    }
  }
};

template <int MR, int NV>
constexpr PlainTable<MR, NV> make_plain_bodies() {
  PlainTable<MR, NV> table{};
  unroll<MR>([&](auto i) {
    unroll<NV>([&](auto j) {
      table.call[i][j] = plain_call<i.value + 1, j.value + 1, NV>;
      table.tiles[i][j] = plain_tiles<i.value + 1, j.value + 1, NV>;
      table.batches[i][j] = plain_batches<i.value + 1, j.value + 1, NV>;
    });
  });
  return table;
}

}  // namespace
}  // namespace cortex
