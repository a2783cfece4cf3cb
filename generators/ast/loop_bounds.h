// isl's answer for every tile loop: bounds with min() where tiles are ragged, lengths simplified for the
// place they are asked at. Expressions use the kernel's names.
#pragma once

#include <string>
#include <vector>

#include "generators/ast/tile_loops.h"
#include "generators/loop_ir/expr.h"
#include "support/result.h"

namespace cortex {

struct LoopBounds {
  Expr begin, end;  // of the loop variable; the end is exclusive. A parallel loop's are those of all threads
  Expr length;      // of the tile, where it varies and the loop is not balanced; else 0
};

// One per loop. `what` names the kernel in messages.
Result<std::vector<LoopBounds>> loop_bounds(const TileLoops& loops, const std::string& what);

}  // namespace cortex
