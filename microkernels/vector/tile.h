// A tile of C in registers, from its sum to memory: accumulation into C, epilogue, stores.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/finish.h"

namespace cortex {
namespace {

// Bytes of an element of C (cortex_element).
CORTEX_INLINE int64_t size_of_element(int32_t type) {
  return type == CORTEX_ELEMENT_BF16 ? 2 : type == CORTEX_ELEMENT_U8 || type == CORTEX_ELEMENT_S8 ? 1 : 4;
}

// Where a tile lives and what its epilogue reads, all for its row 0 and column 0.
struct TilePlace {
  char* c;
  int64_t ldc;
  int64_t n;  // columns
  const float* bias_n;
  const float* bias_m;
  const char* residual;
  int64_t ld_residual;
  // Tiles of several bands of rows: bytes from one band to the next.
  int64_t c_band = 0, residual_band = 0;
  bool past_caches = false;  // see c_far of cortex_brgemm_args
};

// M rows of N vectors; `mask` covers the last vector. The rows come in bands, by default in one.
template <int M, int N, bool Masked, int Band = M>
struct RegisterTile {
  Vec v[M][N];
  Mask mask;

  CORTEX_INLINE Vec load_vec(const char* row, int j) const {
    const float* p = reinterpret_cast<const float*>(row) + j * lanes;
    return Masked && j == N - 1 ? load(mask, p) : load(p);
  }
  CORTEX_INLINE void store_vec(char* row, int j, Vec x) const {
    float* p = reinterpret_cast<float*>(row) + j * lanes;
    if (Masked && j == N - 1) {
      store(mask, p, x);
    } else {
      store(p, x);
    }
  }

  // v = f(v, i, j) for every vector.
  template <typename F>
  CORTEX_INLINE void each(F f) {
    CORTEX_UNROLL
    for (int i = 0; i < M; ++i) {
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) v[i][j] = f(v[i][j], i, j);
    }
  }

  // Bytes from row i to the next.
  CORTEX_INLINE static int64_t step(int i, int64_t pitch, int64_t band) {
    return (i + 1) % Band || Band == M ? pitch : band - (Band - 1) * pitch;
  }

  // v = f(v, what stands at row i, vector j of memory).
  template <typename F>
  CORTEX_INLINE void each_with(const char* row, int64_t pitch, int64_t band, F f) {
    each([&](Vec x, int i, int j) CORTEX_LAMBDA {
      x = f(x, load_vec(row, j));
      if (j == N - 1) row += step(i, pitch, band);
      return x;
    });
  }

  CORTEX_INLINE void add_from(const char* row, int64_t pitch, int64_t band = 0) {
    each_with(row, pitch, band, [](Vec x, Vec y) CORTEX_LAMBDA { return add(x, y); });
  }

  // bias, residual and the piecewise linear activations.
  CORTEX_INLINE void apply_linear(const cortex_epilogue& e, const TilePlace& at, bool with_residual) {
    if (at.bias_n) {
      Vec bias[N];
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) bias[j] = load_vec(reinterpret_cast<const char*>(at.bias_n), j);
      each([&](Vec x, int, int j) CORTEX_LAMBDA { return add(x, bias[j]); });
    }
    if (at.bias_m) each([&](Vec x, int i, int) CORTEX_LAMBDA { return add(x, splat(at.bias_m[i])); });
    if (with_residual) {
      const Vec scale = splat(e.residual_scale);
      each_with(at.residual, at.ld_residual, at.residual_band,
                [&](Vec x, Vec r) CORTEX_LAMBDA { return fma(r, scale, x); });
    }
    if (e.activation == CORTEX_ACTIVATION_RELU && e.alpha == 0.0f) {
      each([&](Vec x, int, int) CORTEX_LAMBDA { return max(zero(), x); });
    } else if (e.activation == CORTEX_ACTIVATION_RELU) {
      const Vec slope = splat(e.alpha);
      each([&](Vec x, int, int) CORTEX_LAMBDA { return leaky_relu(x, slope); });
    } else if (e.activation == CORTEX_ACTIVATION_CLIP) {
      const Vec low = splat(e.alpha), high = splat(e.beta);
      each([&](Vec x, int, int) CORTEX_LAMBDA { return min(high, max(low, x)); });
    }
  }

  CORTEX_INLINE void to_memory(uint32_t flags, const cortex_epilogue& e, const TilePlace& at) {
    if (flags & CORTEX_TILE_ACCUMULATE) add_from(at.c, at.ldc, at.c_band);
    if (flags & CORTEX_TILE_EPILOGUE) {
      const bool residual_last = at.residual && e.residual_after_activation;
      apply_linear(e, at, at.residual && !residual_last);
      if (residual_last || e.activation >= CORTEX_ACTIVATION_SIGMOID) {
        // The residual may be C itself, so C must not be written before it is read: finish beside it.
        float beside[M * N * lanes];
        each([&](Vec x, int i, int j) CORTEX_LAMBDA {
          store(beside + (i * N + j) * lanes, x);
          return x;
        });
        const char* residual = residual_last ? at.residual : nullptr;
        const float* from = beside;
        char* to = at.c;
#pragma GCC unroll 1
        for (int i = 0; i < M; i += Band, from += Band * N * lanes, to += at.c_band) {
          finish_tile(e, residual, at.ld_residual, from, N * lanes, to, at.ldc, Band, at.n);
          if (residual) residual += at.residual_band;
        }
        return;
      }
    }
    if constexpr (M > 1 && Band == M && lanes > 4) {
      // Lines written in part would be read after all, and a C that was read is in the caches.
      const bool lines = ((reinterpret_cast<uintptr_t>(at.c) | static_cast<uintptr_t>(at.ldc)) & 63) == 0 &&
                         at.n == N * lanes && N * lanes % 16 == 0;
      if (__builtin_expect(at.past_caches && lines && !(flags & CORTEX_TILE_ACCUMULATE), 0)) {
        char* row = at.c;
        CORTEX_UNROLL
        for (int i = 0; i < M; ++i, row += at.ldc) {
          CORTEX_UNROLL
          for (int j = 0; j < N; ++j) store_past_caches(reinterpret_cast<float*>(row) + j * lanes, v[i][j]);
        }
        return;
      }
    }
    char* row = at.c;
    CORTEX_UNROLL
    for (int i = 0; i < M; ++i) {
      CORTEX_UNROLL
      for (int j = 0; j < N; ++j) store_vec(row, j, v[i][j]);
      row += step(i, at.ldc, at.c_band);
    }
  }
};

}  // namespace
}  // namespace cortex
