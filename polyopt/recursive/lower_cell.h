// One case of a cell: values -> phases of gathers, products and element-wise steps.
#pragma once

#include "polyopt/recursive/lower.h"

namespace cortex::recursive {

// Adds to the program's arrays what the cell needs.
Status lower_cell(const Model& model, const Cell& cell, const LowerOptions& options, Program& program,
                  CellProgram& out);

}  // namespace cortex::recursive
