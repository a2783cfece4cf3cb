#include "bench/backends/epilogue.h"

#include <algorithm>

namespace cortex::bench {
namespace {

template <typename Activate>
void apply(const Epilogue& e, float* c, int64_t rows, int64_t columns, const float* bias,
           const float* residual, Activate activate) {
  const float before = e.residual && !e.residual_after_activation ? e.residual_scale : 0.0f;
  const float after = e.residual && e.residual_after_activation ? e.residual_scale : 0.0f;
  for (int64_t i = 0; i < rows; ++i) {
    float* row = c + i * columns;
    if (e.bias) {
      for (int64_t j = 0; j < columns; ++j) row[j] += bias[j];
    }
    if (e.residual) {
      const float* other = residual + i * columns;
      for (int64_t j = 0; j < columns; ++j) row[j] = activate(row[j] + before * other[j]) + after * other[j];
    } else {
      for (int64_t j = 0; j < columns; ++j) row[j] = activate(row[j]);
    }
  }
}

}  // namespace

bool can_apply_epilogue(const Epilogue& e) {
  return e.activation == Activation::none || e.activation == Activation::relu ||
         e.activation == Activation::clip;
}

void apply_epilogue(const Epilogue& e, float* c, int64_t rows, int64_t columns, const float* bias,
                    const float* residual) {
  if (e.empty()) return;
  if (e.activation == Activation::relu) {
    apply(e, c, rows, columns, bias, residual,
          [a = e.alpha](float v) { return std::max(v, 0.0f) + a * std::min(v, 0.0f); });
  } else if (e.activation == Activation::clip) {
    apply(e, c, rows, columns, bias, residual,
          [a = e.alpha, b = e.beta](float v) { return std::min(std::max(v, a), b); });
  } else {
    apply(e, c, rows, columns, bias, residual, [](float v) { return v; });
  }
}

}  // namespace cortex::bench
