// Reduces a box to as few dimensions as describe it and says how its two innermost are moved.
#pragma once

#include <stdint.h>
#include <string.h>

#include "cortex/microkernels.h"
#include "microkernels/vector/inline.h"

namespace cortex {
namespace {

struct PackDim {
  int64_t count;     // of the box
  int64_t lo, hi;    // [lo, hi) of it lies inside the tensor
  int64_t from, to;  // byte strides of source and destination
};

enum class PackLeaf { rows, panels, transposed, elements };

struct PackPlan {
  PackDim unit;  // dst's unit-stride dimension, or its finest
  PackDim row;   // the next: src's unit-stride dimension if that is another one
  PackDim outer[CORTEX_PACK_MAX_RANK];
  int outer_rank;
  bool inside;  // the dropped dimensions of extent one are inside the tensor
  PackLeaf leaf;
  bool panels;  // `unit` is cut into panels of `width`; else width is all of it
  int64_t width, panel_stride, elem;
};

CORTEX_INLINE int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

CORTEX_INLINE PackDim take(PackDim* dims, int& rank, int at) {
  const PackDim taken = dims[at];
  --rank;
  for (int j = at; j < rank; ++j) dims[j] = dims[j + 1];
  return taken;
}

// False when the box is empty. `from`: byte offset in the source of the box's first element.
bool make_plan(const cortex_pack_desc& d, const int64_t* origin, const int64_t* box, PackPlan& p,
               int64_t& from) {
  p.elem = d.elem_size;
  p.inside = true;
  p.panels = d.panel_dim >= 0;
  p.unit = {1, 0, 1, p.elem, p.elem};
  bool have_unit = false;
  PackDim dims[CORTEX_PACK_MAX_RANK];
  int rank = 0;
  from = 0;
  for (int j = 0; j < d.rank; ++j) {
    if (box[j] <= 0) return false;
    from += origin[j] * d.src_stride[j];
    PackDim dim = {box[j], clamp(-origin[j], 0, box[j]), 0, d.src_stride[j], d.dst_stride[j]};
    dim.hi = clamp(d.shape[j] - origin[j], dim.lo, box[j]);
    if (j == d.panel_dim) {
      dim.to = p.elem;
      p.unit = dim;
      have_unit = true;
      continue;
    }
    if (dim.count == 1) {
      p.inside = p.inside && dim.hi > dim.lo;
      continue;
    }
    // Together with the one before it, a wholly inside dimension may form a single longer one.
    PackDim* outer = rank > 0 ? &dims[rank - 1] : nullptr;
    if (outer && dim.lo == 0 && dim.hi == dim.count && outer->from == dim.count * dim.from &&
        outer->to == dim.count * dim.to) {
      *outer = {outer->count * dim.count, outer->lo * dim.count, outer->hi * dim.count, dim.from, dim.to};
    } else {
      dims[rank++] = dim;
    }
  }
  // dst's finest dimension, unless panels have taken that part.
  if (!have_unit && rank > 0) {
    int finest = rank - 1;
    for (int j = rank - 2; j >= 0; --j) {
      if (dims[j].to < dims[finest].to) finest = j;
    }
    p.unit = take(dims, rank, finest);
  }
  p.width = p.panels ? d.panel_width : p.unit.count;
  p.panel_stride = p.panels ? d.panel_stride : 0;

  // The other leaf dimension: src's unit stride if `unit` has not got it, else dst's next finest.
  int row = -1;
  const bool same_unit = p.unit.from == p.elem;
  for (int j = 0; j < rank; ++j) {
    if (!same_unit && dims[j].from == p.elem) row = j;
  }
  const bool transposed = row >= 0 && p.elem == 4 && p.unit.to == 4;
  if (row < 0) {
    for (int j = 0; j < rank; ++j) {
      if (row < 0 || dims[j].to <= dims[row].to) row = j;
    }
  }
  p.row = row >= 0 ? take(dims, rank, row) : PackDim{1, 0, 1, 0, 0};
  if (transposed) {
    p.leaf = PackLeaf::transposed;
  } else if (same_unit && p.unit.to == p.elem) {
    p.leaf = p.panels ? PackLeaf::panels : PackLeaf::rows;
  } else {
    p.leaf = PackLeaf::elements;
  }
  p.outer_rank = rank;
  for (int j = 0; j < rank; ++j) p.outer[j] = dims[j];
  return true;
}

}  // namespace
}  // namespace cortex
