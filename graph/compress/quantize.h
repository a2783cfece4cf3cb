// Scales of 8-bit integers: real = scale * (integer - zero_point).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "graph/compress/matrix.h"
#include "support/result.h"

namespace cortex {

enum class Calibration {
  min_max,  // the whole range
  // The range at which the distribution of the rounded values is nearest to that of the values, by
  // Kullback-Leibler divergence (Migacz, "8-bit inference with TensorRT", GTC 2017). Outliers saturate.
  entropy,
};
Result<Calibration> parse_calibration(std::string_view text);  // "minmax", "entropy"

struct Quantized {
  std::vector<float> scales;     // one per row of the weights
  std::vector<int8_t> integers;  // in the matrix's order; symmetric: -127..127, zero stays zero
};
// Weights, per output channel. A row of zeros gets scale 1.
Quantized quantize_weights(const FilterMatrix& weights, Calibration calibration);

struct ActivationScale {
  float scale = 1;
  int32_t zero_point = 0;  // 0..255
};
// Activations as u8, one scale for the tensor. The range is widened to hold 0, as ONNX DynamicQuantizeLinear
// does.
ActivationScale calibrate_activations(std::span<const float> values, Calibration calibration);

// Half of the largest range to represent `values` (>= 0, at least one) with `levels` integers from 0.
double entropy_threshold(std::span<const float> magnitudes, int levels);

}  // namespace cortex
