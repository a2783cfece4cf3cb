// What tests of compression share: random filters, formats by name.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "graph/compress/prune.h"

namespace cortex {

inline FilterMatrix gaussian(int64_t rows, int64_t taps, int64_t channels, uint32_t seed) {
  FilterMatrix w{rows, taps * channels, channels, {}};
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < w.rows * w.columns; ++i) w.values.push_back(normal(random));
  return w;
}

inline WeightFormat format(const char* text) {
  const Result<WeightFormat> f = parse_weight_format(text);
  EXPECT_TRUE(f.ok()) << text;
  return *f;
}

}  // namespace cortex
