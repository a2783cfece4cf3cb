// Whether a model means something, and whether its structure can be ordered before any arithmetic.
#pragma once

#include <string_view>

#include "graph/recursive/model.h"
#include "support/result.h"

namespace cortex::recursive {

// Fills in every value's shape, domain and slice bounds. Refuses, naming value and rule:
// - shapes that do not fit, names without a value, states never computed;
// - P1: which child is read depends on a tensor value, not on the structure alone;
// - P2: a recursive call that waits for arithmetic of the node that makes it;
// - P3: a recursive call that waits for the result of a sibling's;
// - structure and cell that disagree: child slots beyond max_children, a sequence with several children.
Status check(Model& model);

// Text that a model prints must mean the same model: names are words, each of one thing; outputs are states.
Status check_names(const Model& model);

// What stands for something else in .cxr text wherever it is read: no value, state or parameter is called so.
bool is_reserved(std::string_view name);

}  // namespace cortex::recursive
