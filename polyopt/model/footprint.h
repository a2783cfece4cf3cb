// Footprint: the bytes that a box of iterations touches of one operand, counted in cache lines.
//
// The access is a sum of (stride, length) progressions. Sorted by stride, each either extends the
// contiguous run that those before it form (or overlaps it: a sliding window), or repeats it as rows.
#pragma once

#include <algorithm>
#include <array>

#include "polyopt/model/facts.h"

namespace cortex {

struct Footprint {
  double bytes = 0;      // whole cache lines
  double run = 0;        // bytes of one contiguous run, rounded to lines
  double rows = 1;       // number of runs
  double row_pitch = 0;  // bytes between the innermost rows, 0 if there is one run
  double inner_rows = 1; // runs at that pitch
};

// A layout is the terms of an operand with strides that may differ from the tensor's (packed copies).
struct Layout {
  int count = 0;
  std::array<int, facts_max_dims> dim{};
  std::array<double, facts_max_dims> stride{};  // bytes, ascending
  double elem = 4;
  bool line_rows = false;  // rows start at line boundaries
};

Layout user_layout(const OperandFacts& facts, double line);

// `length[d]`: iterations of dim d in the box.
inline Footprint footprint(const Layout& layout, const double* length, double line) {
  Footprint out;
  double run = layout.elem;
  double pitch = 0, group = 1;  // the rows being collected: their distance, their number
  for (int i = 0; i < layout.count; ++i) {
    const double n = length[layout.dim[i]];
    if (n <= 1) continue;
    const double s = layout.stride[i];
    if (pitch == 0 && s <= run) {
      run += s * (n - 1);
    } else if (pitch == 0) {
      pitch = s;
      group = n;
      out.row_pitch = pitch;
      out.inner_rows = n;
    } else if (s <= pitch * group) {
      group += std::max(s / pitch, 1.0) * (n - 1);
    } else {
      out.rows *= group;
      pitch = s;
      group = n;
    }
  }
  out.rows *= group;
  // A run that starts anywhere touches one more line than its length on average, less one element.
  out.run = layout.line_rows ? std::max(run, line) : run + line - layout.elem;
  out.bytes = out.rows * out.run;
  return out;
}

// Room a footprint takes in a cache of `ways` ways of `way_bytes` each: rows whose pitch shares a factor
// with the way size crowd into few sets, as if each row were that factor long.
double crowded_bytes(const Footprint& footprint, double way_bytes);

}  // namespace cortex
