// Walks over the loop IR.
#pragma once

#include <functional>
#include <string_view>

#include "generators/loop_ir/loop_ir.h"

namespace cortex {

// Every expression of the block, in order.
void visit_exprs(const Block& block, const std::function<void(const Expr&)>& visit);
// Outer loops before inner ones.
void visit_loops(Block& block, const std::function<void(For&)>& visit);
void visit_calls(const Block& block, const std::function<void(const Call&)>& visit);

bool uses(const Block& block, std::string_view variable);

}  // namespace cortex
