// The epilogue steps that are not worth a copy in every body: curved activations and a residual that
// comes after the activation.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/activation.h"

namespace cortex {
namespace {

template <typename Activate>
CORTEX_INLINE void finish_rows(const cortex_epilogue& e, const char* residual, int64_t ld_residual,
                               const float* v, int64_t ldv, char* c, int64_t ldc, int64_t m, int64_t n,
                               Activate activate_vec) {
  const Vec scale = splat(e.residual_scale);
  for (int64_t i = 0; i < m; ++i, v += ldv, c += ldc) {
    for (int64_t j = 0; j < n; j += lanes) {
      const Mask mask = first_lanes(n - j < lanes ? n - j : lanes);
      Vec x = activate_vec(load(v + j));
      if (residual) {
        x = fma(load(mask, reinterpret_cast<const float*>(residual + i * ld_residual) + j), scale, x);
      }
      store(mask, reinterpret_cast<float*>(c) + j, x);
    }
  }
}

// c[i][j] = activation(v[i][j]) + residual, if there is one, for m rows of n values; the rows of v have pitch
// ldv, a multiple of the lanes. Linear activations have been applied before.
__attribute__((noinline)) void finish_tile(const cortex_epilogue& e, const char* residual,
                                           int64_t ld_residual, const float* v, int64_t ldv, char* c,
                                           int64_t ldc, int64_t m, int64_t n) {
  const auto rows = [&](auto f)
                        CORTEX_LAMBDA { finish_rows(e, residual, ld_residual, v, ldv, c, ldc, m, n, f); };
  switch (e.activation) {
    case CORTEX_ACTIVATION_SIGMOID:
      return rows([](Vec x) CORTEX_LAMBDA { return sigmoid(x); });
    case CORTEX_ACTIVATION_TANH:
      return rows([](Vec x) CORTEX_LAMBDA { return tanh(x); });
    case CORTEX_ACTIVATION_GELU_ERF:
      return rows([](Vec x) CORTEX_LAMBDA { return gelu_erf(x); });
    case CORTEX_ACTIVATION_GELU_TANH:
      return rows([](Vec x) CORTEX_LAMBDA { return gelu_tanh(x); });
    default:
      return rows([](Vec x) CORTEX_LAMBDA { return x; });
  }
}

}  // namespace
}  // namespace cortex
