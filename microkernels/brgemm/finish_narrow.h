// What kernels of narrow types do with a tile of sums: see cortex_epilogue. The steps that most layers take
// are done in registers, the others on a copy of the tile.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/activation.h"
#include "microkernels/vector/tile.h"

namespace cortex {
namespace {

// x * y + z, rounded twice: the same on CPUs with and without FMA.
CORTEX_INLINE Vec multiply_then_add(Vec x, Vec y, Vec z) {
  Vec product = mul(x, y);
  keep(product);
  return add(product, z);
}

// `at` as a copy: were its address taken, kernels would put it together in memory for every tile.
template <int Type>
__attribute__((noinline)) void finish_copy(const cortex_epilogue& e, TilePlace at, const float* v,
                                           int64_t ldv, int64_t m) {
  constexpr int32_t kind = Type;
  const int64_t size = size_of_element(kind);
  const Vec scale = splat(e.residual_scale);
#pragma GCC unroll 1
  for (int64_t i = 0; i < m; ++i, v += ldv) {
    char* c = at.c + i * at.ldc;
    const char* residual = at.residual ? at.residual + i * at.ld_residual : nullptr;
    const Vec bias = splat(at.bias_m ? at.bias_m[i] : 0.0f);
#pragma GCC unroll 1
    for (int64_t j = 0; j < at.n; j += lanes) {
      const int64_t n = at.n - j < lanes ? at.n - j : lanes;
      Vec x = add(load(v + j), bias);
      Vec r = residual ? load_as(kind, residual + j * size, n) : zero();
      if (residual && !e.residual_after_activation) x = multiply_then_add(r, scale, x);
      x = activate(e.activation, e.alpha, e.beta, x);
      if (residual && e.residual_after_activation) x = multiply_then_add(r, scale, x);
      store_first<Type>(n, c + j * size, x, e.c_zero_point);
    }
  }
}

template <int Type, int M, int N, bool Masked>
CORTEX_INLINE void store_rows(RegisterTile<M, N, Masked>& tile, const cortex_epilogue& e,
                              const TilePlace& at) {
  constexpr int64_t size = Type == CORTEX_ELEMENT_BF16 ? 2 : Type == CORTEX_ELEMENT_F32 ? 4 : 1;
  const int64_t last = at.n - (N - 1) * lanes;
  char* row = at.c;
  constexpr int64_t bytes = N * lanes * size;
  constexpr int fours = N == 1 && size == 1 && joins_bytes ? M / 4 : 0;
  unroll<fours>([&](auto f) CORTEX_LAMBDA {
    constexpr int i = 4 * f;
    const Vec rows[4] = {tile.v[i][0], tile.v[i + 1][0], tile.v[i + 2][0], tile.v[i + 3][0]};
    store_rows_of_bytes<Type>(row, at.ldc, last, rows, e.c_zero_point);
    row += 4 * at.ldc;
  });
  if (last == lanes) {
    if constexpr (bytes % 64 == 0) {
      const bool lines = (reinterpret_cast<uintptr_t>(row) | static_cast<uintptr_t>(at.ldc)) % 64 == 0;
      if (__builtin_expect(at.past_caches && lines, 0)) {
        CORTEX_UNROLL
        for (int i = 0; i < M; ++i, row += at.ldc) {
          alignas(64) char line[bytes];
          store_together<Type>(line, tile.v[i], e.c_zero_point);
          CORTEX_UNROLL
          for (int64_t b = 0; b < bytes; b += lanes * 4)
            store_past_caches(reinterpret_cast<float*>(row + b), load(reinterpret_cast<float*>(line + b)));
        }
        return;
      }
    }
    CORTEX_UNROLL
    for (int i = 4 * fours; i < M; ++i, row += at.ldc) store_together<Type>(row, tile.v[i], e.c_zero_point);
    return;
  }
  if constexpr (size == 1 && joins_bytes && N >= 2 && N <= 4) {
    CORTEX_UNROLL
    for (int i = 0; i < M; ++i, row += at.ldc) store_first_bytes<Type>(at.n, row, tile.v[i], e.c_zero_point);
    return;
  }
  CORTEX_UNROLL
  for (int i = 4 * fours; i < M; ++i, row += at.ldc) {
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) {
      char* p = row + j * lanes * size;
      if (Masked && j == N - 1) {
        store_first<Type>(last, p, tile.v[i][j], e.c_zero_point);
      } else {
        store_as<Type>(p, tile.v[i][j], e.c_zero_point);
      }
    }
  }
}

// Sums are integers: compensated, turned to f32 and scaled. The compiler must not join the roundings.
template <int M, int N, bool Masked>
CORTEX_INLINE void scale_integers(RegisterTile<M, N, Masked>& tile, const cortex_epilogue& e) {
  const auto columns = [&](const void* p, auto use) CORTEX_LAMBDA {
    Vec x[N];
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) x[j] = tile.load_vec(static_cast<const char*>(p), j);
    tile.each([&](Vec v, int, int j) CORTEX_LAMBDA { return use(v, x[j]); });
  };
  if (e.compensation_n) {
    columns(e.compensation_n, [](Vec v, Vec x) CORTEX_LAMBDA { return add_integers(v, x); });
  }
  tile.each([](Vec v, int, int) CORTEX_LAMBDA { return from_integers(v); });
  if (e.scale_n) {
    columns(e.scale_n, [](Vec v, Vec x) CORTEX_LAMBDA {
      Vec product = mul(v, x);
      keep(product);
      return product;
    });
  }
}

template <bool Integers, int M, int N, bool Masked>
CORTEX_INLINE void finish_narrow(RegisterTile<M, N, Masked>& tile, const cortex_epilogue& e,
                                 const TilePlace& at) {
  if constexpr (Integers) scale_integers(tile, e);
  if (at.bias_n) {
    Vec bias[N];
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) bias[j] = tile.load_vec(reinterpret_cast<const char*>(at.bias_n), j);
    tile.each([&](Vec x, int, int j) CORTEX_LAMBDA { return add(x, bias[j]); });
  }
  const int32_t sum = Integers ? CORTEX_ELEMENT_S32 : CORTEX_ELEMENT_F32;
  const int32_t type = e.c_type == CORTEX_ELEMENT_SUM ? sum : e.c_type;
  const bool relu = e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f;
  const bool rare = at.residual || at.bias_m || !(relu || e.activation == CORTEX_ACTIVATION_NONE);
  if (!rare) {
    const auto maybe_relu = [&] CORTEX_LAMBDA {
      if (relu) tile.each([](Vec x, int, int) CORTEX_LAMBDA { return max(zero(), x); });
    };
    if constexpr (Integers) {
      if (type == CORTEX_ELEMENT_U8) {
        if (e.c_zero_point != 0) maybe_relu();  // else saturation does it
        return store_rows<CORTEX_ELEMENT_U8>(tile, e, at);
      }
      if (type == CORTEX_ELEMENT_S8) {
        maybe_relu();
        return store_rows<CORTEX_ELEMENT_S8>(tile, e, at);
      }
    } else if (type == CORTEX_ELEMENT_BF16) {
      maybe_relu();
      return store_rows<CORTEX_ELEMENT_BF16>(tile, e, at);
    }
    if (type == CORTEX_ELEMENT_F32) {
      maybe_relu();
      return store_rows<CORTEX_ELEMENT_F32>(tile, e, at);
    }
  }
  float copy[M * N * lanes];
  tile.each([&](Vec x, int i, int j) CORTEX_LAMBDA {
    store(copy + (i * N + j) * lanes, x);
    return x;
  });
  switch (type) {
    case CORTEX_ELEMENT_BF16:
      return finish_copy<CORTEX_ELEMENT_BF16>(e, at, copy, N * lanes, M);
    case CORTEX_ELEMENT_U8:
      if constexpr (Integers) return finish_copy<CORTEX_ELEMENT_U8>(e, at, copy, N * lanes, M);
      return;
    case CORTEX_ELEMENT_S8:
      if constexpr (Integers) return finish_copy<CORTEX_ELEMENT_S8>(e, at, copy, N * lanes, M);
      return;
    case CORTEX_ELEMENT_S32:
      if constexpr (Integers) return finish_copy<CORTEX_ELEMENT_S32>(e, at, copy, N * lanes, M);
      return;
    default:
      return finish_copy<CORTEX_ELEMENT_F32>(e, at, copy, N * lanes, M);
  }
}

// C, or what calls before this one left there, as sums.
template <bool Integers, int M, int N, bool Masked>
CORTEX_INLINE void add_sums(RegisterTile<M, N, Masked>& tile, const char* rows, int64_t pitch) {
  tile.each_with(rows, pitch, 0, [](Vec x, Vec y) CORTEX_LAMBDA {
    if constexpr (Integers) return add_integers(x, y);
    return add(x, y);
  });
}

template <bool Integers, int M, int N, bool Masked>
CORTEX_INLINE void narrow_to_memory(RegisterTile<M, N, Masked>& tile, uint32_t flags,
                                    const cortex_epilogue& e, const TilePlace& at) {
  if (flags & CORTEX_TILE_ACCUMULATE) add_sums<Integers>(tile, at.c, at.ldc);
  if (flags & CORTEX_TILE_EPILOGUE) return finish_narrow<Integers>(tile, e, at);
  char* row = at.c;
  CORTEX_UNROLL
  for (int i = 0; i < M; ++i, row += at.ldc) {
    CORTEX_UNROLL
    for (int j = 0; j < N; ++j) tile.store_vec(row, j, tile.v[i][j]);
  }
}

// What the products of narrow types share: where their sums go.
template <bool Integers>
struct NarrowProduct {
  static constexpr bool is_narrow = true, of_integers = Integers;

  template <typename Tile>
  CORTEX_INLINE static void add_from(Tile& tile, const char* rows, int64_t pitch) {
    add_sums<Integers>(tile, rows, pitch);
  }
  template <typename Tile>
  CORTEX_INLINE static void to_memory(Tile& tile, uint32_t flags, const cortex_epilogue& e,
                                      const TilePlace& at) {
    narrow_to_memory<Integers>(tile, flags, e, at);
  }
};

}  // namespace
}  // namespace cortex
