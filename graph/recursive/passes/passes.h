// Transformations of recursive models that keep what they compute.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph/recursive/model.h"
#include "support/result.h"

namespace cortex::recursive {

// Moves slices towards the operands, until they stand at parameters, tables, features and child states alone:
// a product sliced in gates becomes a product per gate.
Result<Model> push_slices(const Model& model);

// Leaf specialization: gives leaves a case of their own, the node's case with no children; sums over children
// and states of absent ones become zero.
Result<Model> specialize_leaves(const Model& model);

// Zero propagation: products with zero vanish, sums lose zero terms, functions of constants are computed.
Result<Model> propagate_zeros(const Model& model);

// Recursive refactoring: a product of a parameter with every child's state moves to the child, which computes
// it once for all its parents, as a state of its own.
Result<Model> refactor_recursion(const Model& model);

// Values nobody uses are dropped.
Result<Model> drop_unused(const Model& model);

// All of them in order, but those in `disabled`.
Result<Model> transform(const Model& model, const std::set<std::string>& disabled);

}  // namespace cortex::recursive
