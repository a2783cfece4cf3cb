// A transformed model becomes a program.
#pragma once

#include <set>
#include <string>

#include "graph/recursive/model.h"
#include "polyopt/recursive/program.h"
#include "support/result.h"

namespace cortex::recursive {

struct LowerOptions {
  int64_t panel = 32;          // columns of a weight panel
  int64_t visible_states = 0;  // the states after these exist for the children's sake only
  bool hoist = true;           // products of features ahead of the recursion
  bool fuse = true;            // element-wise chains in one step
  bool cache_reads = true;     // what several products read is gathered once
};

Result<Program> lower(const Model& model, const LowerOptions& options);

}  // namespace cortex::recursive
