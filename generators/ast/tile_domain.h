// The tile loops as text isl reads: iteration domain, schedule tree, parameters' context. Statement S is
// the microkernel call, P0, P1, ... the packs; loop l is i<l>. Parallel loops run their whole range here:
// a thread's share cuts the finished loop.
#pragma once

#include <string>

#include "generators/ast/tile_loops.h"

namespace cortex {

struct TileDomain {
  std::string schedule;              // the schedule tree, as YAML
  std::string context;               // what is known of lo<l>, len<l>, tiles<l>
  std::vector<std::string> lengths;  // of loop l's tile, a piecewise affine function on S; empty when
                                     // constant or balanced
};

// pack_depths: for each pack, how many loops (of `loops`) it stands in.
TileDomain tile_domain(const TileLoops& loops, const std::vector<int>& pack_depths);

}  // namespace cortex
