// Rows of sparse weights times a panel of dense columns: points in the lanes, T rows share each column.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"
#include "microkernels/brgemm/finish_narrow.h"
#include "microkernels/sparse/next_lines.h"
#include "microkernels/sparse/patterns.h"
#include "microkernels/sparse/placed.h"

namespace cortex {
namespace {

// Vectors of points that T rows sum at once: accumulators, and the T weights or the vectors, whichever are
// fewer, stay in registers.
constexpr int vectors_at_once(int rows) {
  if (rows == 1) return CORTEX_SPARSE_VECTORS;
  if (vector_registers >= 32) return rows == 2 ? CORTEX_SPARSE_VECTORS : 6;
  if (vector_registers < 16) return rows == 2 ? 3 : 2;
  return rows == 2 ? 6 : 3;
}

// sums += T values x a column.
template <int T, int R, bool Half, typename Tile>
CORTEX_INLINE void add_column(Tile& tile, const char* at, const float* values) {
  const auto* column = reinterpret_cast<const float*>(at);
  if constexpr (R < T) {
    Vec a[R];
    load_column<Half>(a, column);
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) {
      const Vec w = splat_at(values + t);
      unroll<R>([&](auto j) CORTEX_LAMBDA { add_vector<Half && j == R - 1>(tile.v[t][j], a[j], w); });
    }
  } else {
    Vec w[T];
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) w[t] = splat_at(values + t);
    unroll<R>([&](auto j) CORTEX_LAMBDA {
      Vec a = Half && j == R - 1 ? load_half(column + j * lanes) : load(column + j * lanes);
      if (T > 1) keep(a);
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t) add_vector<Half && j == R - 1>(tile.v[t][j], a, w[t]);
    });
  }
}

// sums += values x columns. Two columns a turn, where registers allow: lists are short, and a turn costs as
// much as a third of one.
template <int T, int R, bool Half, typename Tile>
CORTEX_INLINE void add_columns(Tile& tile, const char* panel, const uint32_t* offset, const uint32_t* end,
                               const float* values) {
  constexpr int turn = T * R + (T < R ? T : R) + 2 <= vector_registers ? 2 : 1;
#pragma GCC unroll 1
  for (; end - offset >= turn; offset += turn, values += turn * T) {
    add_column<T, R, Half>(tile, panel + offset[0], values);
    if constexpr (turn == 2) add_column<T, R, Half>(tile, panel + offset[1], values + T);
  }
  if (turn == 2 && offset != end) add_column<T, R, Half>(tile, panel + *offset, values);
}

// C is bf16. places: NULL where vectors stand side by side.
template <int T, int R>
CORTEX_INLINE void finish_bf16(RegisterTile<T, R, true>& tile, const cortex_epilogue& e, const TilePlace& at,
                               const cortex_sparse_place* places) {
  TilePlace rest = at;
  if (at.bias_m) {
    tile.each([&](Vec x, int t, int) CORTEX_LAMBDA { return add(x, splat(at.bias_m[t])); });
    rest.bias_m = nullptr;
  }
  if (!places) return finish_narrow<false>(tile, e, rest);
  float sums[T * R * lanes];
  CORTEX_UNROLL
  for (int j = 0; j < R; ++j) {
    const Order order = order_of(places[j].lane);
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) store(sums + (t * R + j) * lanes, reorder(tile.v[t][j], order));
  }
#pragma GCC unroll 1
  for (int j = 0; j < R; ++j) {
    const int64_t skip = 2 * static_cast<int64_t>(places[j].offset);
    rest.n = places[j].count;
    rest.c = at.c + skip;
    if (at.residual) rest.residual = at.residual + skip;
    finish_copy<CORTEX_ELEMENT_BF16>(e, rest, sums + j * lanes, R * lanes, T);
  }
}

// A row alone to lines of C that nobody finds in the caches (RegisterTile does it of several). False: it has
// other ends, or more to be done first.
template <int R, typename Tile>
CORTEX_INLINE bool store_row_past_caches(Tile& tile, const cortex_epilogue& e, const TilePlace& at) {
  const bool lines = reinterpret_cast<uintptr_t>(at.c) % 64 == 0 && at.n == R * lanes && R * lanes % 16 == 0;
  if (__builtin_expect(!at.past_caches, 1) || !lines) return false;
  if (at.residual || e.activation >= CORTEX_ACTIVATION_SIGMOID) return false;
  tile.apply_linear(e, at, false);
  CORTEX_UNROLL
  for (int j = 0; j < R; ++j) store_past_caches(reinterpret_cast<float*>(at.c) + j * lanes, tile.v[0][j]);
  return true;
}

// Every group, R vectors from vector `from` on; of the last one the lower half is enough (Half). Patterns:
// see cortex_sparse_args.
template <int T, int R, bool Patterns, bool Half>
__attribute__((noinline)) void rows_block(const cortex_sparse_args& x, int64_t from) {
  RegisterTile<T, R, true> tile;
  const int64_t n = x.n - from * lanes;
  tile.mask = first_lanes((n < R * lanes ? n : R * lanes) - (R - 1) * lanes);
  const bool bf16 = (x.flags & CORTEX_TILE_EPILOGUE) && x.epilogue.c_type == CORTEX_ELEMENT_BF16;
  const int64_t skip = from * lanes * static_cast<int64_t>(sizeof(float)), c_size = bf16 ? 2 : 4;
  const char* const panel = static_cast<const char*>(x.panel) + skip;
  const char* sums = x.sums ? static_cast<const char*>(x.sums) + skip : nullptr;
  const bool placed = x.places != nullptr;
  const int64_t skip_c = placed ? 0 : from * lanes * c_size;
  const char* residual =
      x.epilogue.residual ? static_cast<const char*>(x.epilogue.residual) + skip_c : nullptr;
  TilePlace at{static_cast<char*>(x.c) + skip_c,
               x.ldc,
               n < R * lanes ? n : R * lanes,
               nullptr,
               nullptr,
               residual,
               x.epilogue.ld_residual};
  at.bias_m = x.epilogue.bias_m;
  at.past_caches = x.c_far == 2;
  NextLines next(x.next, from == 0 ? 0 : x.next.count, x.next.count, x.groups);
  const uint32_t* offset = x.offsets;
  const auto* values = static_cast<const float*>(x.values);
  const int32_t* count = x.counts;
#pragma GCC unroll 1
  for (int64_t g = 0; g < x.groups; ++g) {
    if (sums) {
      const char* row = sums;
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t, row += x.ld_sums) {
        CORTEX_UNROLL
        for (int j = 0; j < R; ++j) tile.v[t][j] = tile.load_vec(row, j);
      }
      sums += T * x.ld_sums;
    } else {
      tile.each([](Vec, int, int) CORTEX_LAMBDA { return zero(); });
    }
    if ((x.flags & CORTEX_TILE_EPILOGUE) && !at.past_caches) {  // C's lines come while the sums are made
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t) {
        CORTEX_UNROLL
        for (int j = 0; j < R; ++j)
          prefetch_to_write(at.c + t * x.ldc + c_size * (placed ? x.places[from + j].offset : j * lanes));
      }
    }
    next.ask();
    if constexpr (Patterns) {
      count = add_patterns<R, Half>(tile, panel, count, offset, values);
    } else {
      const int64_t columns = *count++;
      add_columns<T, R, Half>(tile, panel, offset, offset + columns, values);
      offset += columns;
      values += columns * T;
    }
    if (bf16) {
      finish_bf16(tile, x.epilogue, at, placed ? x.places + from : nullptr);
    } else if (placed) {
      finish_placed(tile, x.epilogue, at, x.places + from);
    } else if (T > 1 || !(x.flags & CORTEX_TILE_EPILOGUE) ||
               !store_row_past_caches<R>(tile, x.epilogue, at)) {
      tile.to_memory(x.flags, x.epilogue, at);
    }
    at.c += T * x.ldc;
    if (at.bias_m) at.bias_m += T;
    if (at.residual) at.residual += T * x.epilogue.ld_residual;
  }
}

template <int T, int R, bool Patterns>
CORTEX_INLINE void some_vectors(const cortex_sparse_args& x, int64_t from) {
  if constexpr (R <= vectors_at_once(T)) {
    if constexpr (has_halves) {
      if (x.n - from * lanes <= R * lanes - lanes / 2) return rows_block<T, R, Patterns, true>(x, from);
    }
    rows_block<T, R, Patterns, false>(x, from);
  }
}

template <int T, bool Patterns = false>
CORTEX_INLINE void sparse_rows(const cortex_sparse_args& x) {
  if (x.groups <= 0) return;
  constexpr int most = vectors_at_once(T);
  const int64_t vectors = (x.n + lanes - 1) / lanes, passes = (vectors + most - 1) / most;
  for (int64_t p = 0; p < passes; ++p) {
    const int64_t from = vectors * p / passes;
    switch (vectors * (p + 1) / passes - from) {
#define CORTEX_VECTORS(r)                  \
  case r:                                  \
    some_vectors<T, r, Patterns>(x, from); \
    break;
      CORTEX_VECTORS(1)
      CORTEX_VECTORS(2)
      CORTEX_VECTORS(3)
      CORTEX_VECTORS(4)
      CORTEX_VECTORS(5)
      CORTEX_VECTORS(6)
      CORTEX_VECTORS(7)
#undef CORTEX_VECTORS
    }
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_SPARSE(isa)                                                                        \
  extern "C" void cortex_sparse_rows1_##isa(const cortex_sparse_args* x) { cortex::sparse_rows<1>(*x); } \
  extern "C" void cortex_sparse_rows2_##isa(const cortex_sparse_args* x) { cortex::sparse_rows<2>(*x); } \
  extern "C" void cortex_sparse_rows4_##isa(const cortex_sparse_args* x) { cortex::sparse_rows<4>(*x); } \
  extern "C" void cortex_sparse_patterns4_##isa(const cortex_sparse_args* x) {                           \
    cortex::sparse_rows<4, true>(*x);                                                                    \
  }                                                                                                      \
  extern "C" void cortex_sparse_gather_##isa(const cortex_sparse_gather_args* x) {                       \
    cortex::gather<float>(*x);                                                                           \
  }                                                                                                      \
  extern "C" void cortex_sparse_gather_bf16_f32_##isa(const cortex_sparse_gather_args* x) {              \
    cortex::gather<uint16_t>(*x);                                                                        \
  }
