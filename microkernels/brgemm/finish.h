// The epilogue steps that are not worth a copy in every body: curved activations and a residual that
// comes after the activation.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/activation.h"

namespace cortex {
namespace {

template <typename Activate>
CORTEX_INLINE void finish_rows(const cortex_epilogue& e, const float* v, int64_t ldv, char* c, int64_t ldc,
                               int64_t m, int64_t n, Activate activate) {
  const bool residual = e.residual && e.residual_after_activation;
  const Vec scale = splat(e.residual_scale);
  const char* r = reinterpret_cast<const char*>(e.residual);
  for (int64_t i = 0; i < m; ++i, v += ldv, c += ldc) {
    for (int64_t j = 0; j < n; j += lanes) {
      const Mask mask = first_lanes(n - j < lanes ? n - j : lanes);
      Vec x = activate(load(v + j));
      if (residual) x = fma(load(mask, reinterpret_cast<const float*>(r + i * e.ld_residual) + j), scale, x);
      store(mask, reinterpret_cast<float*>(c) + j, x);
    }
  }
}

// c[i][j] = activation(v[i][j]) + residual for m rows of n values; the rows of v have pitch ldv, a multiple
// of the lanes. Linear activations have been applied before.
__attribute__((noinline)) void finish_tile(const cortex_epilogue& e, const float* v, int64_t ldv, char* c,
                                           int64_t ldc, int64_t m, int64_t n) {
  switch (e.activation) {
    case CORTEX_ACTIVATION_SIGMOID:
      return finish_rows(e, v, ldv, c, ldc, m, n, [](Vec x) CORTEX_LAMBDA { return sigmoid(x); });
    case CORTEX_ACTIVATION_TANH:
      return finish_rows(e, v, ldv, c, ldc, m, n, [](Vec x) CORTEX_LAMBDA { return tanh(x); });
    case CORTEX_ACTIVATION_GELU_ERF:
      return finish_rows(e, v, ldv, c, ldc, m, n, [](Vec x) CORTEX_LAMBDA { return gelu_erf(x); });
    case CORTEX_ACTIVATION_GELU_TANH:
      return finish_rows(e, v, ldv, c, ldc, m, n, [](Vec x) CORTEX_LAMBDA { return gelu_tanh(x); });
    default:
      return finish_rows(e, v, ldv, c, ldc, m, n, [](Vec x) CORTEX_LAMBDA { return x; });
  }
}

}  // namespace
}  // namespace cortex
