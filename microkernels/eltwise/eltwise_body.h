// Activation of arrays. An ISA file includes its vector vocabulary, then this.
#pragma once

#include <stdint.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/activation.h"

namespace cortex {
namespace {

template <typename F>
CORTEX_INLINE void map(const float* x, float* y, int64_t n, F f) {
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) store(y + i, f(load(x + i)));
  if (i < n) {
    const Mask mask = first_lanes(n - i);
    store(mask, y + i, f(load(mask, x + i)));
  }
}

CORTEX_INLINE void activate_array(int32_t activation, float alpha, float beta, const float* x, float* y,
                                  int64_t n) {
  switch (activation) {
    case CORTEX_ACTIVATION_RELU:
      if (alpha == 0.0f) return map(x, y, n, [](Vec v) CORTEX_LAMBDA { return max(zero(), v); });
      return map(x, y, n, [=](Vec v) CORTEX_LAMBDA { return leaky_relu(v, splat(alpha)); });
    case CORTEX_ACTIVATION_CLIP:
      return map(x, y, n, [=](Vec v) CORTEX_LAMBDA { return min(splat(beta), max(splat(alpha), v)); });
    case CORTEX_ACTIVATION_SIGMOID:
      return map(x, y, n, [](Vec v) CORTEX_LAMBDA { return sigmoid(v); });
    case CORTEX_ACTIVATION_TANH:
      return map(x, y, n, [](Vec v) CORTEX_LAMBDA { return tanh(v); });
    case CORTEX_ACTIVATION_GELU_ERF:
      return map(x, y, n, [](Vec v) CORTEX_LAMBDA { return gelu_erf(v); });
    case CORTEX_ACTIVATION_GELU_TANH:
      return map(x, y, n, [](Vec v) CORTEX_LAMBDA { return gelu_tanh(v); });
    default:
      return map(x, y, n, [](Vec v) CORTEX_LAMBDA { return v; });
  }
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_ACTIVATE(isa)                                                                  \
  extern "C" void cortex_activate_##isa(int32_t activation, float alpha, float beta, const float* x, \
                                        float* y, int64_t n) {                                       \
    cortex::activate_array(activation, alpha, beta, x, y, n);                                        \
  }
