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

// Of every row of 8-bit weights: what the source's zero adds to its sums, to be taken back, modulo 2^32.
void take_back_zero(int32_t zero, const WeightsView& weights, int32_t* compensation);

// How many rows share a list, and whether a column is multiplied with those of them alone that keep it.
struct Sharing {
  int rows = 1;
  bool patterns = false;
};

inline constexpr std::array<Sharing, 4> sparse_sharings = {{{1}, {2}, {4}, {4, true}}};

// Rows that share a list.
struct RowGroup {
  int64_t row = 0;
  std::vector<int32_t> columns;    // those that any of the rows keeps, ascending
  std::vector<uint8_t> kept_by{};  // of patterns, for each column: bit t for row t
};

// Groups of as many consecutive rows as share a list, then one row each for what is left.
struct Kept {
  Sharing sharing;
  int64_t rows = 0;
  std::vector<RowGroup> groups;

  bool is_shared(const RowGroup& g) const { return g.row < rows - rows % sharing.rows; }
};

Kept keep_nonzero(const WeightsView& weights, Sharing sharing);

// Columns of a group's list, from `begin` on up to `end`, in the order they are multiplied in: those that the
// same rows keep together. Of each its index in `columns`.
std::vector<std::size_t> list_order(const RowGroup& group, std::size_t begin, std::size_t end);

}  // namespace cortex
