// Rows times panels of two vectors. Few rows: several panels at once, so that the FMA units have enough
// independent sums; many rows: one panel, so that each of its vectors is used often.
#pragma once

#include <stdint.h>

#include "cortex/cell_kernels.h"
#include "microkernels/vector/rows.h"

namespace cortex {
namespace {

constexpr int panel_vectors = 2;
constexpr int panel_columns = panel_vectors * lanes;

// How B is held: as f32, or as pairs of bf16 whose halves are made f32 as they are read.
enum class Held { f32, bf16 };

// The most rows of a tile N vectors wide whose sums stay in registers, beside a vector of B and a broadcast;
// beside all of B's vectors where they are made and not read.
constexpr int most_rows(int n, Held held) {
  if (held == Held::bf16) {
    if (vector_registers >= 32) return n == 2 ? 12 : n == 4 ? 6 : 2;
    return n == 2 ? 5 : n == 4 ? 2 : 1;
  }
  if (vector_registers >= 32) return n == 2 ? 14 : n == 4 ? 6 : 3;
  return n == 2 ? 6 : n == 4 ? 3 : 1;
}

struct CellTile {
  const char* a;
  const char* b;  // of the tile's first panel
  char* c;
  const char* plus;  // the matrix that is added to the sums
  const float* bias;
  int64_t columns;  // of the last panel
};

template <int M, int N, bool Masked, Held held>
struct CellSum {
  Vec acc[M][N];

  static CORTEX_INLINE Mask mask_of(int64_t columns, int vector) {
    const int64_t left = columns - vector % panel_vectors * lanes;
    return first_lanes(left < 0 ? 0 : left > lanes ? lanes : left);
  }
  static CORTEX_INLINE Vec load_vec(const char* p, int64_t columns, int j) {
    const float* at = reinterpret_cast<const float*>(p) + j % panel_vectors * lanes;
    return Masked ? load(mask_of(columns, j), at) : load(at);
  }
  static CORTEX_INLINE void store_vec(char* p, int64_t columns, int j, Vec v) {
    float* at = reinterpret_cast<float*>(p) + j * lanes;
    if (Masked) {
      store(mask_of(columns, j), at, v);
    } else {
      store(at, v);
    }
  }

  template <int L>
  CORTEX_INLINE void step(const RowPointers<M>& a, const char* b, int64_t panel_stride, int64_t columns) {
    Vec row[N];
    if constexpr (held == Held::bf16) {
      CORTEX_UNROLL
      for (int j = 0; j < N; j += 2) load_halves(b + j / panel_vectors * panel_stride, row[j], row[j + 1]);
    } else {
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) row[j] = load_vec(b + j / panel_vectors * panel_stride, columns, j);
    }
    unroll<M>([&](auto i) CORTEX_LAMBDA {
      const Vec x = a.template broadcast_row<i.value, 4 * L>();
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) accumulate(acc[i][j], x, row[j]);
    });
  }

  CORTEX_INLINE void run(const cortex_cell_gemm_args& args, const CellTile& tile) {
    char* c = tile.c;
    if (args.flags & CORTEX_TILE_ACCUMULATE) {
      CORTEX_UNROLL
      for (int i = 0; i < M; ++i) {
        CORTEX_UNROLL
        for (int j = 0; j < N; ++j) {
          acc[i][j] = load_vec(c + i * args.ldc + j / panel_vectors * panel_columns * 4, tile.columns, j);
        }
      }
    } else {
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) {
        const char* bias = reinterpret_cast<const char*>(tile.bias) + j / panel_vectors * panel_columns * 4;
        const Vec first = tile.bias ? load_vec(bias, tile.columns, j) : zero();
        CORTEX_UNROLL
        for (int i = 0; i < M; ++i) acc[i][j] = first;
      }
    }
    RowPointers<M> a(tile.a, args.lda);
    const char* b = tile.b;
    const int64_t ldb = args.ldb, stride = args.panel_stride;
    int64_t left = args.k;
#pragma GCC unroll 1
    for (; left >= 4; left -= 4) {
      unroll<4>([&](auto l) CORTEX_LAMBDA {
        step<l.value>(a, b, stride, tile.columns);
        b += ldb;
      });
      a.advance(16);
    }
#pragma GCC unroll 1
    for (; left > 0; --left) {
      step<0>(a, b, stride, tile.columns);
      b += ldb;
      a.advance(4);
    }
    if (tile.plus) {
      const char* plus = tile.plus;
      CORTEX_UNROLL
      for (int i = 0; i < M; ++i) {
        CORTEX_UNROLL
        for (int j = 0; j < N; ++j) {
          const Vec x = load_vec(plus + j / panel_vectors * panel_columns * 4, tile.columns, j);
          acc[i][j] = add(acc[i][j], x);
        }
        plus += args.ldplus;
      }
    }
    CORTEX_UNROLL
    for (int i = 0; i < M; ++i) {
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) store_vec(c, tile.columns, j, acc[i][j]);
      c += args.ldc;
    }
  }
};

template <int M, int N, bool Masked, Held held>
void cell_tile(const cortex_cell_gemm_args& args, const CellTile& tile) {
  CellSum<M, N, Masked, held> sum;
  sum.run(args, tile);
}

using CellTileFn = void (*)(const cortex_cell_gemm_args&, const CellTile&);

template <int N, Held held>
struct CellTiles {
  CellTileFn rows[most_rows(N, held)];
};
template <int N, bool Masked, Held held>
constexpr CellTiles<N, held> cell_tiles() {
  CellTiles<N, held> table{};
  unroll<most_rows(N, held)>([&](auto i) { table.rows[i] = cell_tile<i.value + 1, N, Masked, held>; });
  return table;
}

// All rows of the tiles' columns, in blocks as equal as they can be.
CORTEX_INLINE void cell_rows(const cortex_cell_gemm_args& args, CellTile tile, const CellTileFn* tiles,
                             int most) {
  const int64_t blocks = (args.m + most - 1) / most;
  int64_t row = 0;
  const char* a = tile.a;
  char* c = tile.c;
  const char* plus = tile.plus;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t next = args.m * (block + 1) / blocks;
    tile.a = a + row * args.lda;
    tile.c = c + row * args.ldc;
    if (plus) tile.plus = plus + row * args.ldplus;
    tiles[next - row - 1](args, tile);
    row = next;
  }
}

template <Held held>
CORTEX_INLINE void cell_gemm(const cortex_cell_gemm_args* args) {
  static constexpr CellTiles<2, held> one = cell_tiles<2, false, held>();
  static constexpr CellTiles<4, held> two = cell_tiles<4, false, held>();
  static constexpr CellTiles<8, held> four = cell_tiles<8, false, held>();
  static constexpr CellTiles<2, held> partial = cell_tiles<2, true, held>();
  if (args->m <= 0 || args->n <= 0) return;
  const int64_t full = args->n / panel_columns;
  const int at_once = args->m <= most_rows(8, held) ? 4 : args->m <= most_rows(4, held) ? 2 : 1;
  const char* plus = reinterpret_cast<const char*>(args->plus);
  const auto place = [&](int64_t panel) CORTEX_LAMBDA {
    return CellTile{static_cast<const char*>(args->a),
                    static_cast<const char*>(args->b) + panel * args->panel_stride,
                    static_cast<char*>(args->c) + panel * panel_columns * 4,
                    plus ? plus + panel * panel_columns * 4 : nullptr,
                    args->bias ? args->bias + panel * panel_columns : nullptr,
                    panel_columns};
  };
  const auto rest = [&]() CORTEX_LAMBDA {
    if (full * panel_columns == args->n) return;
    CellTile tile = place(full);
    tile.columns = args->n - full * panel_columns;
    cell_rows(*args, tile, partial.rows, most_rows(2, held));
  };
  if (args->last_first) rest();
  for (int64_t done = 0; done < full;) {
    const int64_t left = full - done;
    const int count = left >= at_once ? at_once : left >= 2 && at_once > 1 ? 2 : 1;
    const CellTile tile = place(args->last_first ? left - count : done);
    if (count == 4) {
      cell_rows(*args, tile, four.rows, most_rows(8, held));
    } else if (count == 2) {
      cell_rows(*args, tile, two.rows, most_rows(4, held));
    } else {
      cell_rows(*args, tile, one.rows, most_rows(2, held));
    }
    done += count;
  }
  if (!args->last_first) rest();
}

}  // namespace
}  // namespace cortex
