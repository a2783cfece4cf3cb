// Loop IR -> one C++ function.
#pragma once

#include <string>

#include "generators/loop_ir/loop_ir.h"

namespace cortex {

// The definition, with `comment` (lines without "//") above it.
std::string emit_function(const Function& function, const std::string& comment);

// Definitions of the helpers that the functions call: min, max, floor_div.
std::string emit_helpers(const std::vector<const Function*>& functions);

}  // namespace cortex
