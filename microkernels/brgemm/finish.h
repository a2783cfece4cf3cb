// The epilogue steps that are not worth a copy in every body: curved activations and a residual that
// comes after the activation.
#pragma once

#include <math.h>
#include <stdint.h>

#include "cortex/microkernels.h"

namespace cortex {
namespace {

CORTEX_INLINE Vec leaky_relu(Vec x, Vec slope) { return fma(slope, min(zero(), x), max(zero(), x)); }

static float activate_scalar(const cortex_epilogue& e, float x) {
  switch (e.activation) {
    case CORTEX_ACTIVATION_SIGMOID: return 1.0f / (1.0f + expf(-x));
    case CORTEX_ACTIVATION_TANH: return tanhf(x);
    case CORTEX_ACTIVATION_GELU_ERF: return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    case CORTEX_ACTIVATION_GELU_TANH:
      return 0.5f * x * (1.0f + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
    default: return x;
  }
}

// c[i][j] = activation(v[i][j]) + residual, for m rows of n values; v has pitch `ldv` in floats.
__attribute__((noinline, unused)) void finish_tile(const cortex_epilogue& e, const float* v, int64_t ldv, char* c,
                                           int64_t ldc, int64_t m, int64_t n) {
  for (int64_t i = 0; i < m; ++i) {
    float* out = reinterpret_cast<float*>(c + i * ldc);
    const float* residual = e.residual && e.residual_after_activation
                                ? reinterpret_cast<const float*>(reinterpret_cast<const char*>(e.residual) +
                                                                 i * e.ld_residual)
                                : nullptr;
    for (int64_t j = 0; j < n; ++j) {
      float x = activate_scalar(e, v[i * ldv + j]);
      if (residual) x += residual[j] * e.residual_scale;
      out[j] = x;
    }
  }
}

}  // namespace
}  // namespace cortex
