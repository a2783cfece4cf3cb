// Footprint: the bytes that a box of iterations touches of one operand, counted in cache lines.
//
// The access is a sum of (stride, length) progressions. Sorted by stride, each either extends the
// contiguous run that those before it form (or overlaps it: a sliding window), or repeats it as rows.
#pragma once

#include <algorithm>
#include <array>

#include "polyopt/model/facts.h"

namespace cortex {

inline constexpr int crowded_levels = 2;  // L1 and L2; further caches spread addresses by hashing

struct Footprint {
  double bytes = 0;  // whole cache lines
  double run = 0;    // bytes of one contiguous run
  double rows = 1;   // runs
  double pitch = 0;  // bytes between the innermost rows, 0 if there is one run
  // What they take in L1, L2: rows whose pitch shares a factor with the way size crowd into few sets, as if
  // each row were that factor long.
  std::array<double, crowded_levels> room{};
};

// Where an operand's elements lie: the dims that move through it and their byte strides, smallest first.
// The strides are the tensor's, or those of a packed copy.
struct Layout {
  int count = 0;
  std::array<int, facts_max_dims> dim;
  std::array<double, facts_max_dims> stride;
  double elem = 4;
  double line = 64;
  std::array<double, crowded_levels> way_bytes;  // cache size over associativity
  bool line_rows = false;                        // rows start at line boundaries
};

Layout user_layout(const OperandFacts& facts, double line,
                   const std::array<double, crowded_levels>& way_bytes);

// Greatest common divisor of a stride and a power of two.
inline double common_power(double stride, double power) {
  const auto s = static_cast<int64_t>(stride);
  return std::min(static_cast<double>(s & -s), power);
}

// `length[d]`: iterations of dim d in the box.
inline Footprint footprint(const Layout& layout, const double* length) {
  double run = layout.elem, rows = 1;
  double pitch = 0, group = 1;             // the rows being collected: their distance, their number
  double inner_pitch = 0, inner_rows = 1;  // of the innermost rows
  for (int i = 0; i < layout.count; ++i) {
    const double n = length[layout.dim[i]];
    if (n <= 1) continue;
    const double s = layout.stride[i];
    if (pitch == 0) {
      if (s <= run) {
        run += s * (n - 1);
      } else {
        inner_pitch = pitch = s;
        inner_rows = group = n;
      }
    } else if (s <= pitch * group) {
      group += std::max(s / pitch, 1.0) * (n - 1);
    } else {
      rows *= group;
      pitch = s;
      group = n;
    }
  }
  rows *= group;
  // A run that starts anywhere touches one more line than its length on average, less one element.
  const double lines = layout.line_rows ? std::max(run, layout.line) : run + layout.line - layout.elem;
  Footprint out;
  out.bytes = rows * lines;
  out.run = run;
  out.rows = rows;
  out.pitch = inner_pitch;
  for (int level = 0; level < crowded_levels; ++level) {
    const double slot = inner_rows > 1 ? common_power(inner_pitch, layout.way_bytes[level]) : 0;
    out.room[level] = rows * std::max(lines, slot);
  }
  return out;
}

}  // namespace cortex
