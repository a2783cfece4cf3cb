#include "bench/backends/epilogue.h"

#include <algorithm>
#include <cmath>

namespace cortex::bench {
namespace {

float activate(const Epilogue& e, float v) {
  switch (e.activation) {
    case Activation::none:
      return v;
    case Activation::relu:
      return v > 0 ? v : v * e.alpha;
    case Activation::clip:
      return std::min(std::max(v, e.alpha), e.beta);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-v));
    case Activation::tanh:
      return std::tanh(v);
    case Activation::gelu_erf:
      return v / 2 * (1 + std::erf(v * 0.70710678f));
    case Activation::gelu_tanh:
      return v / 2 * (1 + std::tanh(0.79788456f * (v + 0.044715f * v * v * v)));
  }
  return v;
}

}  // namespace

void apply_epilogue(const Epilogue& e, float* c, int64_t rows, int64_t columns, const float* bias,
                    const float* residual) {
  if (e.empty()) return;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      float v = c[i * columns + j];
      const float r = e.residual ? residual[i * columns + j] * e.residual_scale : 0.0f;
      if (e.bias) v += bias[j];
      if (!e.residual_after_activation) v += r;
      v = activate(e, v);
      if (e.residual_after_activation) v += r;
      c[i * columns + j] = v;
    }
  }
}

}  // namespace cortex::bench
