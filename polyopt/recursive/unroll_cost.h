// Whether a node right after its children costs less than levels of nodes.
#pragma once

#include <cstdint>

#include "polyopt/recursive/program.h"

namespace cortex::recursive {

// Bytes that a level or a node moves.
struct MovedBytes {
  double weights = 0;  // of the matrices of products: read once a level
  double states = 0;   // of a node
};
MovedBytes moved_bytes(const Program& program, double bytes_of_weight);

struct UnrolledBatch {
  double nodes = 0, edges = 0, levels = 0;  // above the leaves
};

// Levels read a weight once for many nodes. Where the batch's states do not fit the last cache, what a level
// left there is gone when the next one reads it; a node right after its children finds theirs.
bool unrolling_pays(const MovedBytes& moved, const UnrolledBatch& batch, double last_cache_bytes);

}  // namespace cortex::recursive
