// Rows of sparse s8 weights times a panel of dense u8 columns: points in the lanes, T rows share each column,
// four columns are interleaved for one instruction that multiplies and adds four.
#pragma once

#include <stdint.h>

#include "cortex/sparse_kernels.h"
#include "microkernels/brgemm/product_u8s8.h"
#include "microkernels/sparse/gather_narrow.h"
#include "microkernels/sparse/next_lines.h"

namespace cortex {
namespace {

// Rows that are summed at once: `each` accumulators for every one.
constexpr int rows_at_once(int rows, int each) {
#ifdef CORTEX_HAS_DOT
  const int most = vector_registers >= 32 ? 4 : 8 / each;
#else
  const int most = vector_registers >= 32 ? 4 : 4 / each;  // widened halves of the columns take the others
#endif
  return rows < most ? rows : most;
}

// The first n points of a part of a vector, which stand in order.
template <int Type, bool Bounded, int Q>
CORTEX_INLINE void store_part(char* p, int64_t n, const Vec (&v)[Q], int32_t zero_point) {
  if constexpr (Q == 4) {
    store_bytes<Type, Bounded>(p, n, v, zero_point);
  } else if constexpr (Q == 2 && joins_bytes) {
    store_first_bytes<Type>(n, p, v, zero_point);
  } else {
    CORTEX_UNROLL
    for (int q = 0; q < Q; ++q) {
      const int64_t left = n - q * lanes;
      if (left > 0) store_first<Type>(left < lanes ? left : lanes, p + q * lanes, v[q], zero_point);
    }
  }
}
template <int Q>
CORTEX_INLINE void store_part_in_order(float* to, const Vec (&v)[Q]) {
  if constexpr (Q == 4) return store_in_order(to, v);
  CORTEX_UNROLL
  for (int q = 0; q < Q; ++q) store(to + q * lanes, v[q]);
}

// True where a sum, scaled and with its bias, is below 2^31 whatever it is.
CORTEX_INLINE bool is_bounded(const cortex_sparse_args& x, int64_t row) {
  const float* bias = x.epilogue.bias_m;
  return x.scale && __builtin_fabsf(x.scale[row]) <= 0.25f &&
         (!bias || __builtin_fabsf(bias[row]) <= 536870912.0f);
}

// C's rows from `row` on, all of them scaled; of a vector's points the first n.
template <int T, int Q>
CORTEX_INLINE void finish_bytes(Vec (&v)[T][Q], const cortex_sparse_args& x, int64_t row, int64_t vector) {
  const cortex_epilogue& e = x.epilogue;
  const int64_t left = x.n - vector * points, n = left < points ? left : points;
  CORTEX_UNROLL
  for (int t = 0; t < T; ++t) {
    CORTEX_UNROLL
    for (int q = 0; q < Q; ++q) v[t][q] = from_integers(v[t][q]);
    if (x.scale) {
      const Vec scale = splat(x.scale[row + t]);
      CORTEX_UNROLL
      for (int q = 0; q < Q; ++q) {  // rounded before the bias comes
        v[t][q] = mul(v[t][q], scale);
        keep(v[t][q]);
      }
    }
    if (e.bias_m) {
      const Vec bias = splat(e.bias_m[row + t]);
      CORTEX_UNROLL
      for (int q = 0; q < Q; ++q) v[t][q] = add(v[t][q], bias);
    }
  }
  const int32_t type = e.c_type == CORTEX_ELEMENT_SUM ? CORTEX_ELEMENT_S32 : e.c_type;
  const int64_t size = size_of_element(type), skip = vector * points * size;
  char* const c = static_cast<char*>(x.c) + row * x.ldc + skip;
  const bool relu = e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f;
  const bool rare = e.residual || !(relu || e.activation == CORTEX_ACTIVATION_NONE);
  if (!rare && size == 1) {
    if (relu && !(type == CORTEX_ELEMENT_U8 && e.c_zero_point == 0)) {  // else saturation does it
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t) {
        CORTEX_UNROLL
        for (int q = 0; q < Q; ++q) v[t][q] = max(zero(), v[t][q]);
      }
    }
    bool bounded = true;
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) bounded = bounded && is_bounded(x, row + t);
    const auto store_all = [&](auto kind, auto below) CORTEX_LAMBDA {
      CORTEX_UNROLL
      for (int t = 0; t < T; ++t)
        store_part<kind.value, below.value != 0>(c + t * x.ldc, n, v[t], e.c_zero_point);
    };
    if (type != CORTEX_ELEMENT_U8) {
      store_all(Index<CORTEX_ELEMENT_S8>{}, Index<0>{});
    } else if (bounded) {
      store_all(Index<CORTEX_ELEMENT_U8>{}, Index<1>{});
    } else {
      store_all(Index<CORTEX_ELEMENT_U8>{}, Index<0>{});
    }
    return;
  }
  float copy[T * points];
  CORTEX_UNROLL
  for (int t = 0; t < T; ++t) store_part_in_order(copy + t * points, v[t]);
  const char* residual =
      e.residual ? static_cast<const char*>(e.residual) + row * e.ld_residual + skip : nullptr;
  const TilePlace at{c, x.ldc, n, nullptr, nullptr, residual, e.ld_residual};
  switch (type) {
    case CORTEX_ELEMENT_U8:
      return finish_copy<CORTEX_ELEMENT_U8>(e, at, copy, points, T);
    case CORTEX_ELEMENT_S8:
      return finish_copy<CORTEX_ELEMENT_S8>(e, at, copy, points, T);
    case CORTEX_ELEMENT_S32:
      return finish_copy<CORTEX_ELEMENT_S32>(e, at, copy, points, T);
    default:
      return finish_copy<CORTEX_ELEMENT_F32>(e, at, copy, points, T);
  }
}

// `T` rows of a list that `Share` rows share; values are the first one's.
template <int T, int Share, int Q>
CORTEX_INLINE void add_quads(Vec (&v)[T][Q], const char* panel, const uint32_t* offset, int64_t count,
                             const char* values) {
#pragma GCC unroll 1
  for (; count > 0; --count, offset += 4, values += 4 * Share) {
    Vec a[Q];
    interleave_first(panel + offset[0], panel + offset[1], panel + offset[2], panel + offset[3], a);
    CORTEX_UNROLL
    for (int t = 0; t < T; ++t) {
      const Vec w = splat_at(reinterpret_cast<const float*>(values) + t);
      CORTEX_UNROLL
      for (int q = 0; q < Q; ++q) Product::accumulate(v[t][q], a[q], w);
    }
  }
}

// Every group, one vector of points, or the first Q quarters of one.
template <int Share, int Q>
__attribute__((noinline)) void bytes_block(const cortex_sparse_args& x, int64_t vector) {
  constexpr int T = rows_at_once(Share, Q);
  constexpr int64_t vec = sizeof(Vec);
  const char* const panel = static_cast<const char*>(x.panel) + vector * points;
  const uint32_t* offset = x.offsets;
  const char* values = static_cast<const char*>(x.values);
  const bool finishes = x.flags & CORTEX_TILE_EPILOGUE;
  const int64_t vectors = (x.n + points - 1) / points;
  NextLines next(x.next, x.next.count * vector / vectors, x.next.count * (vector + 1) / vectors, x.groups);
#pragma GCC unroll 1
  for (int64_t g = 0; g < x.groups; ++g) {
    const int64_t count = x.counts[g];
    next.ask();
#pragma GCC unroll 1
    for (int64_t part = 0; part < Share; part += T) {
      const int64_t row = g * Share + part;
      Vec v[T][Q];
      if (x.sums) {
        const char* sums = static_cast<const char*>(x.sums) + row * x.ld_sums + vector * 4 * vec;
        CORTEX_UNROLL
        for (int t = 0; t < T; ++t, sums += x.ld_sums) {
          CORTEX_UNROLL
          for (int q = 0; q < Q; ++q) v[t][q] = load(reinterpret_cast<const float*>(sums + q * vec));
        }
      } else {
        CORTEX_UNROLL
        for (int t = 0; t < T; ++t) {
          float bits = 0;
          if (x.compensation) __builtin_memcpy(&bits, x.compensation + row + t, 4);
          CORTEX_UNROLL
          for (int q = 0; q < Q; ++q) v[t][q] = splat(bits);
        }
      }
      add_quads<T, Share>(v, panel, offset, count, values + 4 * part);
      if (finishes) {
        finish_bytes(v, x, row, vector);
      } else {
        char* c = static_cast<char*>(x.c) + row * x.ldc + vector * 4 * vec;
        CORTEX_UNROLL
        for (int t = 0; t < T; ++t, c += x.ldc) {
          CORTEX_UNROLL
          for (int q = 0; q < Q; ++q) store(reinterpret_cast<float*>(c + q * vec), v[t][q]);
        }
      }
    }
    offset += 4 * count;
    values += 4 * Share * count;
  }
}

template <int Share>
CORTEX_INLINE void sparse_bytes(const cortex_sparse_args& x) {
  if (x.groups <= 0) return;
  for (int64_t vector = 0; vector * points < x.n; ++vector) {
    const int64_t left = x.n - vector * points;
    if (left <= lanes) {
      bytes_block<Share, 1>(x, vector);
    } else if (left <= 2 * lanes) {
      bytes_block<Share, 2>(x, vector);
    } else {
      bytes_block<Share, 4>(x, vector);
    }
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_SPARSE_U8S8(isa)                                                  \
  extern "C" void cortex_sparse_rows1_u8s8_##isa(const cortex_sparse_args* x) {         \
    cortex::sparse_bytes<1>(*x);                                                        \
  }                                                                                     \
  extern "C" void cortex_sparse_rows2_u8s8_##isa(const cortex_sparse_args* x) {         \
    cortex::sparse_bytes<2>(*x);                                                        \
  }                                                                                     \
  extern "C" void cortex_sparse_rows4_u8s8_##isa(const cortex_sparse_args* x) {         \
    cortex::sparse_bytes<4>(*x);                                                        \
  }                                                                                     \
  extern "C" void cortex_sparse_gather_u8s8_##isa(const cortex_sparse_gather_args* x) { \
    cortex::gather_narrow(*x);                                                          \
  }
