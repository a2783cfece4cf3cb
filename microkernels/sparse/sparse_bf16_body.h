// Rows of sparse bf16 weights times a panel of dense bf16 columns: points in the lanes, T rows share each
// column, two columns are interleaved for one instruction that multiplies and adds pairs.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"
#include "microkernels/brgemm/finish_narrow.h"
#include "microkernels/sparse/gather_narrow.h"
#include "microkernels/sparse/next_lines.h"

namespace cortex {
namespace {

// Vectors of points that T rows sum at once, two accumulators each.
constexpr int vectors_at_once(int rows) { return rows == 1 ? CORTEX_SPARSE_VECTORS : rows == 2 ? 6 : 3; }

// The first n points of v as elements of C.
template <int Type>
CORTEX_INLINE void store_points(char* p, int64_t n, Vec (&v)[2]) {
  if constexpr (Type == CORTEX_ELEMENT_BF16) return store_bf16(p, n, v);
  put_in_order(v);
  auto* to = reinterpret_cast<float*>(p);
  if (n >= points) {
    store(to, v[0]);
    return store(to + lanes, v[1]);
  }
  store(first_lanes(n < lanes ? n : lanes), to, v[0]);
  if (n > lanes) store(first_lanes(n - lanes), to + lanes, v[1]);
}

// T rows of C, R vectors of points each.
template <int Type, int T, int R>
CORTEX_INLINE void finish_halves(Vec (&v)[T][R][2], const cortex_epilogue& e, const TilePlace& at) {
  const auto each = [&](auto f) CORTEX_LAMBDA {
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) {
      CORTEX_UNROLL
      for (int j = 0; j < R; ++j) f(v[t][j], t, j);
    }
  };
  if (at.bias_m) {
    each([&](Vec(&x)[2], int t, int) CORTEX_LAMBDA {
      const Vec bias = splat(at.bias_m[t]);
      x[0] = add(x[0], bias), x[1] = add(x[1], bias);
    });
  }
  const bool relu = e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f;
  if (!at.residual && (relu || e.activation == CORTEX_ACTIVATION_NONE)) {
    if (relu)
      each([](Vec(&x)[2], int, int) CORTEX_LAMBDA { x[0] = max(zero(), x[0]), x[1] = max(zero(), x[1]); });
    each([&](Vec(&x)[2], int t, int j) CORTEX_LAMBDA {
      store_points<Type>(at.c + t * at.ldc + size_of_element(Type) * points * j, at.n - points * j, x);
    });
    return;
  }
  float copy[T * R * points];
  each([&](Vec(&x)[2], int t, int j) CORTEX_LAMBDA {
    store_points<CORTEX_ELEMENT_F32>(reinterpret_cast<char*>(copy + (t * R + j) * points), points, x);
  });
  TilePlace rest = at;
  rest.bias_m = nullptr;
  finish_copy<Type>(e, rest, copy, R * points, T);
}

// sums += values x columns, pair by pair.
template <int T, int R>
CORTEX_INLINE void add_pairs(Vec (&v)[T][R][2], const char* panel, const uint32_t* offset, int64_t count,
                             const char* values) {
  constexpr int64_t vec = element * points;
  const auto weights = [](const char* at)
                           CORTEX_LAMBDA { return splat_at(reinterpret_cast<const float*>(at)); };
#pragma GCC unroll 1
  for (; count > 0; --count, offset += 2, values += 4 * T) {
    const char *const column0 = panel + offset[0], *const column1 = panel + offset[1];
    if constexpr (T < R) {
      Vec w[T];
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t) w[t] = weights(values + 4 * t);
      CORTEX_UNROLL
      for (int j = 0; j < R; ++j) {
        Vec a[2];
        interleave(column0 + vec * j, column1 + vec * j, a);
        CORTEX_UNROLL
        for (int t = 0; t < T; ++t) {
          accumulate(v[t][j][0], a[0], w[t]);
          accumulate(v[t][j][1], a[1], w[t]);
        }
      }
    } else {
      Vec a[R][2];
      CORTEX_UNROLL
      for (int j = 0; j < R; ++j) interleave(column0 + vec * j, column1 + vec * j, a[j]);
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t) {
        const Vec w = weights(values + 4 * t);
        CORTEX_UNROLL
        for (int j = 0; j < R; ++j) {
          accumulate(v[t][j][0], a[j][0], w);
          accumulate(v[t][j][1], a[j][1], w);
        }
      }
    }
  }
}

// Every group, R vectors of points from vector `from` on.
template <int T, int R>
__attribute__((noinline)) void halves_block(const cortex_sparse_args& x, int64_t from) {
  const bool finishes = x.flags & CORTEX_TILE_EPILOGUE;
  const bool bf16 = x.epilogue.c_type == CORTEX_ELEMENT_BF16;
  const int64_t skip = from * points, skip_sums = 4 * skip, skip_c = (bf16 ? 2 : 4) * skip;
  const char* const panel = static_cast<const char*>(x.panel) + element * skip;
  const char* sums = x.sums ? static_cast<const char*>(x.sums) + skip_sums : nullptr;
  const int64_t left = x.n - skip;
  TilePlace at{static_cast<char*>(x.c) + (finishes ? skip_c : skip_sums),
               x.ldc,
               left < R * points ? left : R * points,
               nullptr,
               x.epilogue.bias_m,
               x.epilogue.residual ? static_cast<const char*>(x.epilogue.residual) + skip_c : nullptr,
               x.epilogue.ld_residual};
  NextLines next(x.next, from == 0 ? 0 : x.next.count, x.next.count, x.groups);
  const uint32_t* offset = x.offsets;
  const char* values = static_cast<const char*>(x.values);
#pragma GCC unroll 1
  for (int64_t g = 0; g < x.groups; ++g) {
    Vec v[T][R][2];
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) {
      CORTEX_UNROLL
      for (int j = 0; j < 2 * R; ++j)
        v[t][j / 2][j % 2] =
            sums ? load(reinterpret_cast<const float*>(sums + t * x.ld_sums) + j * lanes) : zero();
    }
    if (sums) sums += T * x.ld_sums;
    const int64_t count = x.counts[g];
    if (finishes) {  // C's lines come while the sums are made
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t) {
        CORTEX_UNROLL
        for (int j = 0; j < R; ++j) prefetch_to_write(at.c + t * x.ldc + (bf16 ? 2 : 4) * points * j);
      }
    }
    next.ask();
    add_pairs<T, R>(v, panel, offset, count, values);
    offset += 2 * count;
    values += 4 * T * count;
    if (finishes) {
      if (bf16) {
        finish_halves<CORTEX_ELEMENT_BF16, T, R>(v, x.epilogue, at);
      } else {
        finish_halves<CORTEX_ELEMENT_F32, T, R>(v, x.epilogue, at);
      }
    } else {
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t) {
        CORTEX_UNROLL
        for (int j = 0; j < 2 * R; ++j)
          store(reinterpret_cast<float*>(at.c + t * x.ldc) + j * lanes, v[t][j / 2][j % 2]);
      }
    }
    at.c += T * x.ldc;
    if (at.bias_m) at.bias_m += T;
    if (at.residual) at.residual += T * x.epilogue.ld_residual;
  }
}

template <int T, int R = vectors_at_once(T)>
CORTEX_INLINE void first_vectors(const cortex_sparse_args& x, int64_t from, int64_t vectors) {
  if constexpr (R > 1) {
    if (vectors < R) return first_vectors<T, R - 1>(x, from, vectors);
  }
  halves_block<T, R>(x, from);
}

template <int T>
CORTEX_INLINE void sparse_halves(const cortex_sparse_args& x) {
  if (x.groups <= 0) return;
  const int64_t vectors = (x.n + points - 1) / points,
                passes = (vectors + vectors_at_once(T) - 1) / vectors_at_once(T);
  for (int64_t p = 0; p < passes; ++p) {
    const int64_t from = vectors * p / passes;
    first_vectors<T>(x, from, vectors * (p + 1) / passes - from);
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_SPARSE_BF16(isa)                                                  \
  extern "C" void cortex_sparse_rows1_bf16_##isa(const cortex_sparse_args* x) {         \
    cortex::sparse_halves<1>(*x);                                                       \
  }                                                                                     \
  extern "C" void cortex_sparse_rows2_bf16_##isa(const cortex_sparse_args* x) {         \
    cortex::sparse_halves<2>(*x);                                                       \
  }                                                                                     \
  extern "C" void cortex_sparse_rows4_bf16_##isa(const cortex_sparse_args* x) {         \
    cortex::sparse_halves<4>(*x);                                                       \
  }                                                                                     \
  extern "C" void cortex_sparse_gather_bf16_##isa(const cortex_sparse_gather_args* x) { \
    cortex::gather_narrow(*x);                                                          \
  }
