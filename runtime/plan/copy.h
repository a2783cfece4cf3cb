// Copy: a whole tensor moved from one layout to another, dividable among threads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cortex/cortex.h"
#include "graph/nest/nest.h"
#include "graph/problem/problem.h"
#include "support/result.h"

namespace cortex {

struct CopyAxis {
  int64_t extent;
  int64_t from, to;     // strides in elements
  int64_t inside = -1;  // elements that the source has, zeros follow; -1: all
  int64_t before = 0;   // zeros before them
};

struct Copy {
  cortex_pack_desc desc{};
  std::array<int64_t, CORTEX_PACK_MAX_RANK> origin{}, box{};
  int64_t bytes = 0;                       // of either side
  int split = 0;                           // axis that is divided among threads
  int64_t from_offset = 0, to_offset = 0;  // bytes: where either side starts

  // Part `part` of `parts`; together they are the whole copy.
  void run(cortex_pack_fn pack, const void* from, void* to, int part, int parts) const;
};

// Copies that together move one tensor.
using Copies = std::vector<Copy>;

// Axes of extent 1 drop out; neighbours that are contiguous on both sides merge. At most 8 may remain.
Copy make_copy(std::vector<CopyAxis> axes, int64_t elem_size);

// True when both sides hold the elements in the same order: no copy is needed.
bool is_identity(const Copy& copy);

// The caller's source, in `layout`, to units (see a_in_units); empty: it is in units already.
Copies src_to_units(const Problem& problem, cortex_layout layout);

// Activations, [batch][channels][points] (NCHW) <-> [batch][points][channels] (NHWC).
Copy nchw_to_nhwc(int64_t batch, int64_t channels, int64_t points, int64_t elem_size);
Copy nhwc_to_nchw(int64_t batch, int64_t channels, int64_t points, int64_t elem_size);

// The caller's weights -> the layout of operand B of the lowered nest (not coalesced). `layout` is not
// CORTEX_WEIGHTS_DEFAULT. Empty where both are the same. Refuses layouts of the other operator.
Result<Copies> weights_to_nest(const Problem& problem, const Nest& lowered, cortex_weights_layout layout);

const char* weights_layout_name(cortex_weights_layout layout);

}  // namespace cortex
