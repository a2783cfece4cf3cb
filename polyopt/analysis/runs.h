// Sets of integers as runs of constant stride, and the cache lines a product of them touches.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cortex::polyhedral {

struct Run {
  int64_t lo = 0, hi = 0, stride = 1;  // lo, lo + stride, ..., hi
  int64_t count() const { return (hi - lo) / stride + 1; }
  bool operator==(const Run&) const = default;
};

// In ascending order, not interleaved.
using Runs = std::vector<Run>;

int64_t count(const Runs& runs);

// { x + coeff * i : x in runs, 0 <= i < len }. nullopt when that takes too many runs to write down.
std::optional<Runs> sum(const Runs& runs, int64_t coeff, int64_t len);

// Those in [lo, end).
Runs clip(const Runs& runs, int64_t lo, int64_t end);

bool intersect(const Runs& a, const Runs& b);

// One tensor dimension: which indices are touched, and its stride in bytes.
struct Axis {
  Runs indices;
  int64_t stride = 0;
};

// Number of lines touched by elements of `elem_bytes` at sum_j index_j * stride_j, for every
// combination of indices. nullopt when the axes interleave in memory, so that addresses do not
// ascend with the indices.
std::optional<int64_t> count_lines(std::vector<Axis> axes, int64_t elem_bytes, int64_t line_bytes);

}  // namespace cortex::polyhedral
