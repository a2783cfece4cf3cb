// isl's answer: the order of loops and statements, and their bounds as expressions over the names
// i<l>, lo<l>, len<l>, tiles<l>.
#pragma once

#include <string>
#include <vector>

#include "generators/ast/tile_domain.h"
#include "generators/loop_ir/expr.h"
#include "support/result.h"

namespace cortex {

struct LoopTree {
  enum class Kind { loop, pack, kernel };
  Kind kind = Kind::kernel;
  int index = 0;           // of the loop, or of the pack
  Expr begin, end;         // of a loop; the end is exclusive
  std::vector<LoopTree> body;
};

struct LoopForest {
  std::vector<LoopTree> trees;     // in execution order
  std::vector<Expr> lengths;       // per loop: the expression for TileDomain::lengths, 0 where that is empty
};

// `what` names the kernel in messages.
Result<LoopForest> loop_forest(const TileDomain& domain, const TileLoops& loops, const std::string& what);

}  // namespace cortex
