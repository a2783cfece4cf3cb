// Which kernel calls use an element again: the first source, its nearest and its farthest target.
#pragma once

#include <optional>

#include "polyopt/analysis/calls.h"
#include "support/result.h"

namespace cortex::polyhedral {

struct ReusePair {
  CallIndex source, nearest, farthest;
};

// Calls that touch a common element of `operand`, agree in the loops outside `loop` and differ in it.
// Source: the lexicographically first that has a target; targets: its first and last. nullopt: no pair.
Result<std::optional<ReusePair>> reuse_pair(const Nest& nest, const Schedule& schedule, Operand operand,
                                            int loop);

}  // namespace cortex::polyhedral
