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
  int64_t from, to;  // strides in elements
};

struct Copy {
  cortex_pack_desc desc{};
  std::array<int64_t, CORTEX_PACK_MAX_RANK> box{};
  int64_t bytes = 0;  // of either side
  int split = 0;      // axis that is divided among threads

  // Part `part` of `parts`; together they are the whole copy.
  void run(cortex_pack_fn pack, const void* from, void* to, int part, int parts) const;
};

// Axes of extent 1 drop out; neighbours that are contiguous on both sides merge. At most 8 may remain.
Copy make_copy(std::vector<CopyAxis> axes, int64_t elem_size);

// True when both sides hold the elements in the same order: no copy is needed.
bool is_identity(const Copy& copy);

// Activations, [batch][channels][points] (NCHW) <-> [batch][points][channels] (NHWC).
Copy nchw_to_nhwc(int64_t batch, int64_t channels, int64_t points, int64_t elem_size);
Copy nhwc_to_nchw(int64_t batch, int64_t channels, int64_t points, int64_t elem_size);

// The caller's weights -> the layout of operand B of the lowered nest (not coalesced). `layout` is not
// CORTEX_WEIGHTS_DEFAULT. Refuses layouts of the other operator.
Result<Copy> weights_to_nest(const Problem& problem, const Nest& lowered, cortex_weights_layout layout);

const char* weights_layout_name(cortex_weights_layout layout);

}  // namespace cortex
