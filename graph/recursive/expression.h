// The right side of a line NAME = ... of a case.
#pragma once

#include "graph/recursive/cursor.h"

namespace cortex::recursive {

// Appends what stands at the cursor to the cell, operands first. Returns its value; -1: the cursor has the
// error.
int parse_expression(Cursor& in, const Model& model, const Names& names, Cell& cell);

}  // namespace cortex::recursive
