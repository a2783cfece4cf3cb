// The tile loops over one dim as text isl reads: iteration domain, schedule tree, parameters' context. Loops
// over different dims do not constrain each other, and one small problem per dim costs isl a twentieth of
// one over all loops. Parallel loops run their whole range here: a thread's share cuts the finished loop.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "generators/ast/tile_loops.h"

namespace cortex {

struct TileDomain {
  std::vector<int> loops;  // over the dim, outermost first; loop l is i<l>
  std::string schedule;    // the schedule tree, as YAML; statement S is the innermost body, L<l> the place in
                           // loop l where its tile's length is worked out
  std::string context;     // what is known of lo<l>, len<l>, tiles<l>
  std::map<int, std::string>
      lengths;  // of loop l's tile, a function on L<l>; those that vary and are not balanced
};

TileDomain tile_domain(const TileLoops& loops, int dim);

}  // namespace cortex
