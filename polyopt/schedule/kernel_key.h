// The key a kernel is found by in a generated library (cortex_kernel_entry::key). Generators write it,
// the runtime looks it up: both through this function.
#pragma once

#include <string>

#include "graph/problem/problem.h"

namespace cortex {

// problem_key(problem), with "|plain" appended when the kernel takes B in the nest's own layout
// instead of weights packed ahead of time. With constant weights `prepacked` is the usual case; a
// matmul may be generated both ways. Pass `prepacked` as asked of search() (SearchOptions::prepacked_b):
// the schedule may still decide not to pack, and then packed_weights_bytes is 0 under the same key.
inline std::string kernel_table_key(const Problem& problem, bool prepacked) {
  return problem_key(problem) + (prepacked ? "" : "|plain");
}

}  // namespace cortex
