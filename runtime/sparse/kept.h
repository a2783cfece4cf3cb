// Which columns of the weights each group of rows keeps.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "cortex/cortex.h"
#include "cortex/sparse_kernels.h"
#include "graph/problem/problem.h"

namespace cortex {

// Weights as the caller holds them, seen as a matrix: a row is an output channel, a column an input channel
// through a tap, column = channel * taps + tap.
struct WeightsView {
  const void* values = nullptr;
  DataType type = DataType::f32;  // bf16 or s8
  int64_t rows = 0, channels = 0, taps = 1;
  int64_t row_stride = 0, channel_stride = 0, tap_stride = 0;  // elements

  float at(int64_t row, int64_t channel, int64_t tap) const {
    const int64_t at = row * row_stride + channel * channel_stride + tap * tap_stride;
    if (type == DataType::s8) return static_cast<const int8_t*>(values)[at];
    if (type == DataType::f32) return static_cast<const float*>(values)[at];
    return std::bit_cast<float>(static_cast<uint32_t>(static_cast<const uint16_t*>(values)[at]) << 16);
  }
};
WeightsView view_weights(const Problem& problem, cortex_weights_layout layout, const void* values);

// Rows [row, row + share) that keep the same columns: those where any of them is not zero.
struct RowGroup {
  int64_t row = 0;
  std::vector<int32_t> columns;  // ascending
};

// Groups of `share` consecutive rows, then one row each for what is left.
struct Kept {
  int share = 1;
  int64_t rows = 0;
  std::vector<RowGroup> groups;

  bool is_shared(const RowGroup& g) const { return g.row < rows - rows % share; }
};

inline constexpr std::array<int, 3> sparse_shares = {1, 2, 4};

Kept keep_nonzero(const WeightsView& weights, int share);

}  // namespace cortex
