// What cortex_brgemm_args says, in double, for tests: written from the contract, not from a kernel.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "cortex/microkernels.h"

namespace cortex::testing {

struct ReferenceTile {
  std::vector<double> value;      // m x n
  std::vector<double> magnitude;  // sum of |a||b| and of every other term added, the scale of rounding
  double operator()(int64_t i, int64_t j, int64_t n) const { return value[static_cast<size_t>(i * n + j)]; }
};

inline double reference_activation(const cortex_epilogue& e, double x) {
  switch (e.activation) {
    case CORTEX_ACTIVATION_RELU:
      if (e.alpha == 0.0f) return std::max(x, 0.0);  // of minus infinity too
      return x >= 0 ? x : x * static_cast<double>(e.alpha);
    case CORTEX_ACTIVATION_CLIP:
      return std::min(std::max(x, static_cast<double>(e.alpha)), static_cast<double>(e.beta));
    case CORTEX_ACTIVATION_SIGMOID:
      return 1 / (1 + std::exp(-x));
    case CORTEX_ACTIVATION_TANH:
      return std::tanh(x);
    case CORTEX_ACTIVATION_GELU_ERF:
      return 0.5 * x * std::erfc(-x * std::sqrt(0.5));
    case CORTEX_ACTIVATION_GELU_TANH: {
      const double u = std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
      return x / (1 + std::exp(-2 * u));
    }
    default:
      return x;
  }
}

// `c` holds what C held before the call (its row pitch is args.ldc), `residual` likewise.
// `dots`: B by columns.
inline ReferenceTile brgemm_reference(const cortex_brgemm_args& args, const void* c_before,
                                      bool dots = false) {
  const auto at = [](const void* base, int64_t bytes) {
    return static_cast<double>(*reinterpret_cast<const float*>(static_cast<const char*>(base) + bytes));
  };
  ReferenceTile tile;
  for (int64_t i = 0; i < args.m; ++i) {
    for (int64_t j = 0; j < args.n; ++j) {
      double v = 0, scale = 0;
      const auto add = [&](double term) { v += term, scale += std::abs(term); };
      for (int64_t b = 0; b < args.batch; ++b) {
        if (const cortex_row_window& w = args.window; w.taps > 0) {
          const int64_t position = w.at + w.step * i + w.tap_step * (b % w.taps);
          if (position < 0 || position >= w.extent) continue;
        }
        const void* pa = args.a_addresses ? args.a_addresses[b]
                         : args.a_offsets ? static_cast<const char*>(args.a) + args.a_offsets[b]
                                          : static_cast<const char*>(args.a) + b * args.a_batch_stride;
        const void* pb = args.b_addresses ? args.b_addresses[b]
                         : args.b_offsets ? static_cast<const char*>(args.b) + args.b_offsets[b]
                                          : static_cast<const char*>(args.b) + b * args.b_batch_stride;
        for (int64_t l = 0; l < args.k; ++l) {
          add(at(pa, i * args.lda + l * 4) * at(pb, dots ? j * args.ldb + l * 4 : l * args.ldb + j * 4));
        }
      }
      if (args.flags & CORTEX_TILE_ACCUMULATE) add(at(c_before, i * args.ldc + j * 4));
      if (args.flags & CORTEX_TILE_EPILOGUE) {
        const cortex_epilogue& e = args.epilogue;
        const double residual =
            e.residual ? at(e.residual, i * e.ld_residual + j * 4) * static_cast<double>(e.residual_scale)
                       : 0;
        if (e.bias_n) add(static_cast<double>(e.bias_n[j]));
        if (e.bias_m) add(static_cast<double>(e.bias_m[i]));
        if (!e.residual_after_activation) add(residual);
        v = reference_activation(e, v);
        scale += std::abs(v);
        if (e.residual_after_activation) add(residual);
      }
      tile.value.push_back(v);
      tile.magnitude.push_back(scale);
    }
  }
  return tile;
}

}  // namespace cortex::testing
