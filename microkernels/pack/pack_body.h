// The packing routine of every ISA: see cortex_pack_desc for the contract. An ISA file includes its
// block_<isa>.h, then this.
//
// The box is reduced to few dimensions (plan.h), of which the two innermost are moved by one of four leaf
// routines; the others are looped over. What lies outside the tensor is never addressed.
#pragma once

#include "microkernels/pack/plan.h"

namespace cortex {
namespace {

// Elements [lo, hi) of a run of `count` come from src (the address of element 0), the rest is zero.
CORTEX_INLINE void copy_run(char* dst, const char* src, int64_t lo, int64_t hi, int64_t count, int64_t elem) {
  if (lo > 0) zero_bytes(dst, lo * elem);
  copy_bytes(dst + lo * elem, src + lo * elem, (hi - lo) * elem);
  if (hi < count) zero_bytes(dst + hi * elem, (count - hi) * elem);
}

// Both sides have the same unit-stride dimension.
void copy_rows(const PackPlan& p, char* dst, const char* src) {
  const PackDim &row = p.row, &unit = p.unit;
  for (int64_t r = 0; r < row.count; ++r, dst += row.to, src += row.from) {
    const bool in = r >= row.lo && r < row.hi;
    copy_run(dst, src, in ? unit.lo : 0, in ? unit.hi : 0, unit.count, p.elem);
  }
}

// The same, cut into panels. A block of rows at a time: sources advance along few rows, as prefetchers
// like it, and each panel is written in runs of several rows.
void copy_panels(const PackPlan& p, char* dst, const char* src) {
  constexpr int64_t rows_at_once = 16;
  const PackDim &row = p.row, &unit = p.unit;
  for (int64_t r0 = 0; r0 < row.count; r0 += rows_at_once) {
    const int64_t rows = row.count - r0 < rows_at_once ? row.count - r0 : rows_at_once;
    for (int64_t n0 = 0, panel = 0; n0 < unit.count; n0 += p.width, ++panel) {
      const int64_t lo = clamp(unit.lo - n0, 0, p.width), hi = clamp(unit.hi - n0, lo, p.width);
      const char* from = src + r0 * row.from + n0 * p.elem;
      char* to = dst + r0 * row.to + panel * p.panel_stride;
      for (int64_t r = r0; r < r0 + rows; ++r, from += row.from, to += row.to) {
        const bool in = r >= row.lo && r < row.hi;
        copy_run(to, from, in ? lo : 0, in ? hi : 0, p.width, p.elem);
      }
    }
  }
}

// dst[v][u] = src[u][v] for 4-byte elements; u is adjacent in dst, v in src. Goes along v for v_at_once
// elements, then along u.
void transpose(char* dst, int64_t dst_stride, const char* src, int64_t src_stride, int64_t u_count,
               int64_t v_count, int64_t v_at_once) {
  for (int64_t v0 = 0; v0 < v_count; v0 += v_at_once) {
    const int64_t v_end = v_count - v0 < v_at_once ? v_count : v0 + v_at_once;
    for (int64_t u = 0; u < u_count; u += transpose_side) {
      const int rows = static_cast<int>(u_count - u < transpose_side ? u_count - u : transpose_side);
      for (int64_t v = v0; v < v_end; v += transpose_side) {
        const int cols = static_cast<int>(v_end - v < transpose_side ? v_end - v : transpose_side);
        char* to = dst + v * dst_stride + u * 4;
        const char* from = src + u * src_stride + v * 4;
        if (rows == transpose_side && cols == transpose_side) {
          transpose_block<true>(to, dst_stride, from, src_stride, rows, cols);
        } else {
          transpose_block<false>(to, dst_stride, from, src_stride, rows, cols);
        }
      }
    }
  }
}

// dst's unit-stride dimension is `unit`, src's is `row`.
void transpose_rows(const PackPlan& p, char* dst, const char* src) {
  const PackDim &row = p.row, &unit = p.unit;
  // Panels are written densely, so sources may advance by several lines; the lines of a plain transpose
  // lie a row apart on both sides, and only one line of each is kept in the air.
  const int64_t v_at_once = p.panels ? 128 : 16;
  for (int64_t n0 = 0, panel = 0; n0 < unit.count; n0 += p.width, ++panel) {
    const int64_t lo = clamp(unit.lo - n0, 0, p.width), hi = clamp(unit.hi - n0, lo, p.width);
    const int64_t width = p.panels || unit.count - n0 > p.width ? p.width : unit.count - n0;
    const int64_t inside = hi > width ? width : hi;
    char* to = dst + panel * p.panel_stride;
    if (lo > 0 || inside < width || row.lo > 0 || row.hi < row.count) {
      for (int64_t r = 0; r < row.count; ++r) {
        const bool in = r >= row.lo && r < row.hi;
        char* line = to + r * row.to;
        if (!in) {
          zero_bytes(line, width * 4);
        } else {
          zero_bytes(line, lo * 4);
          zero_bytes(line + inside * 4, (width - inside) * 4);
        }
      }
    }
    if (inside > lo && row.hi > row.lo) {
      transpose(to + row.lo * row.to + lo * 4, row.to, src + (n0 + lo) * unit.from + row.lo * 4, unit.from,
                inside - lo, row.hi - row.lo, v_at_once);
    }
  }
}

// No structure to use. Elem: the element's size where it is a constant, else 0.
template <int Elem>
void copy_each(const PackPlan& p, char* dst, const char* src) {
  const PackDim &row = p.row, &unit = p.unit;
  const int64_t elem = Elem ? Elem : p.elem;
  const int64_t padded = p.panels ? (unit.count + p.width - 1) / p.width * p.width : unit.count;
  const auto place = [&](int64_t r, int64_t u) CORTEX_LAMBDA {
    return dst + r * row.to + (p.panels ? u / p.width * p.panel_stride + u % p.width * elem : u * unit.to);
  };
  for (int64_t r = 0; r < row.count; ++r) {
    const bool in = r >= row.lo && r < row.hi;
    const int64_t lo = in ? unit.lo : 0, hi = in ? unit.hi : 0;
    for (int64_t u = 0; u < lo; ++u) memset(place(r, u), 0, static_cast<size_t>(elem));
    const char* from = src + r * row.from + lo * unit.from;
    if (p.panels) {
      for (int64_t u = lo; u < hi; ++u, from += unit.from)
        memcpy(place(r, u), from, static_cast<size_t>(elem));
    } else {
      char* to = place(r, lo);
      for (int64_t u = lo; u < hi; ++u, from += unit.from, to += unit.to)
        memcpy(to, from, static_cast<size_t>(elem));
    }
    for (int64_t u = hi; u < padded; ++u) memset(place(r, u), 0, static_cast<size_t>(elem));
  }
}

void copy_elements(const PackPlan& p, char* dst, const char* src) {
  switch (p.elem) {
    case 1:
      return copy_each<1>(p, dst, src);
    case 2:
      return copy_each<2>(p, dst, src);
    case 4:
      return copy_each<4>(p, dst, src);
    default:
      copy_each<0>(p, dst, src);
  }
}

void move_leaf(const PackPlan& p, char* dst, const char* src) {
  switch (p.leaf) {
    case PackLeaf::rows:
      return copy_rows(p, dst, src);
    case PackLeaf::panels:
      return copy_panels(p, dst, src);
    case PackLeaf::transposed:
      return transpose_rows(p, dst, src);
    case PackLeaf::elements:
      return copy_elements(p, dst, src);
  }
}

void walk(const PackPlan& p, const PackPlan& zeros, int level, char* dst, const char* src, bool inside) {
  if (level == p.outer_rank) {
    move_leaf(inside ? p : zeros, dst, src);
    return;
  }
  const PackDim& d = p.outer[level];
  for (int64_t r = 0; r < d.count; ++r, dst += d.to, src += d.from) {
    walk(p, zeros, level + 1, dst, src, inside && r >= d.lo && r < d.hi);
  }
}

CORTEX_INLINE void pack(const cortex_pack_desc* desc, const void* src, void* dst, const int64_t* origin,
                        const int64_t* box) {
  PackPlan plan = {};
  int64_t from = 0;
  if (!make_plan(*desc, origin, box, plan, from)) return;
  PackPlan zeros = plan;
  zeros.row.lo = zeros.row.hi = zeros.unit.lo = zeros.unit.hi = 0;
  // The box's first element may lie before the tensor; as an integer that is no offence.
  const char* start =
      reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(src) + static_cast<uintptr_t>(from));
  walk(plan, zeros, 0, static_cast<char*>(dst), start, plan.inside);
}

}  // namespace
}  // namespace cortex

#define CORTEX_DEFINE_PACK(isa)                                                               \
  extern "C" void cortex_pack_##isa(const cortex_pack_desc* desc, const void* src, void* dst, \
                                    const int64_t* origin, const int64_t* box) {              \
    cortex::pack(desc, src, dst, origin, box);                                                \
  }
