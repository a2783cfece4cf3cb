// What the tests of kernels of 8-bit integers share: elements, and their finishing step by step.
#pragma once

#include <algorithm>
#include <cmath>

#include "microkernels/sparse/kernel_test.h"

namespace cortex::testing {

// extremes: 255 and 128 (-128 as s8) alone.
inline void fill_bytes(const GuardedBuffer& buffer, std::mt19937& random, bool extremes) {
  for (std::size_t i = 0; i < buffer.size(); ++i)
    buffer.as<uint8_t>()[i] = static_cast<uint8_t>(extremes ? (random() % 2 ? 255 : 128) : random());
}

inline int bytes_of(int type) { return type == CORTEX_ELEMENT_U8 || type == CORTEX_ELEMENT_S8 ? 1 : 4; }

// Of every type what a residual may be.
inline void fill_elements(const GuardedBuffer& buffer, int type, std::mt19937& random) {
  for (std::size_t i = 0; i < buffer.size() / size(bytes_of(type)); ++i) {
    if (type == CORTEX_ELEMENT_F32) {
      buffer.as<float>()[i] = static_cast<float>(random() % 100);
    } else if (type == CORTEX_ELEMENT_S32) {
      buffer.as<int32_t>()[i] = static_cast<int32_t>(random() % 100);
    } else {
      buffer.as<uint8_t>()[i] = static_cast<uint8_t>(random());
    }
  }
}

// Scales, biases and compensations as of many layers.
inline void fill_columns(const GuardedBuffer& scale, const GuardedBuffer& bias,
                         const GuardedBuffer& compensation, std::mt19937& random) {
  for (std::size_t i = 0; i < scale.size() / 4; ++i) {
    scale.as<float>()[i] = static_cast<float>(random() % 1000) * 1e-5f;
    bias.as<float>()[i] = static_cast<float>(random() % 64) - 32.3f;
    compensation.as<int32_t>()[i] = static_cast<int32_t>(random() % 20000) - 10000;
  }
}

inline double element(int type, const void* p, int64_t i) {
  switch (type) {
    case CORTEX_ELEMENT_U8:
      return static_cast<const uint8_t*>(p)[i];
    case CORTEX_ELEMENT_S8:
      return static_cast<const int8_t*>(p)[i];
    case CORTEX_ELEMENT_F32:
      return static_cast<double>(static_cast<const float*>(p)[i]);
    default:
      return static_cast<const int32_t*>(p)[i];
  }
}

// residual: NULL, or what is added times 0.5. Then ReLU.
inline float finish(int type, int64_t sum, float scale, float bias, const double* residual, int zero_point) {
  volatile float v = static_cast<float>(static_cast<int32_t>(sum));
  v = v * scale;
  v = v + bias;
  if (residual) {
    volatile float r = static_cast<float>(*residual) * 0.5f;
    v = v + r;
  }
  v = std::max(v + 0.0f, 0.0f);
  if (type == CORTEX_ELEMENT_F32) return v;
  if (type == CORTEX_ELEMENT_S32) return std::nearbyint(v);
  const float low = type == CORTEX_ELEMENT_U8 ? 0 : -128, high = type == CORTEX_ELEMENT_U8 ? 255 : 127;
  return std::min(std::max(std::nearbyint(v) + static_cast<float>(zero_point), low), high);
}

}  // namespace cortex::testing
