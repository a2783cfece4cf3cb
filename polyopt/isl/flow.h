// The isl side of dependences.h: relations, not text.
#pragma once

#include <vector>

#include "polyopt/isl/dependences.h"
#include "polyopt/isl/statements.h"

namespace cortex::polyhedral {

struct Flow {
  DependenceKind kind;
  Operand operand;
  Statement source, target;
  Map relation;
};

enum class FlowKinds {
  order,  // RAW on C: every order there is. S and E read the element they write, so WAR and WAW relate
          // the same instances again
  all,    // RAW, WAR and WAW on C, RAR on A and B
};

// Empty ones left out.
Result<std::vector<Flow>> compute_flow(const Context& context, const Nest& nest, FlowKinds kinds);

}  // namespace cortex::polyhedral
