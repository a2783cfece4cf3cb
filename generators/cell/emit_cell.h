// Element-wise steps of recursive cells as C++: one function a step, a library of them as files.
#pragma once

#include <string>
#include <vector>

#include "generators/emit/library.h"
#include "polyopt/recursive/program.h"
#include "support/result.h"

namespace cortex {

// One step of a model's program, for one ISA.
struct CellStep {
  std::string function, key, model, isa;
  recursive::Pointwise step;
  std::vector<std::string> names;  // of its rows, as the model calls them
};

struct CellLibrary {
  std::string name, generator;
  std::vector<std::string> isas;  // a source each
  std::vector<CellStep> steps;
};

// Every step of the model's program; those with a key that is there already are left out.
Status add_cell_steps(const recursive::Model& model, const std::string& isa, CellLibrary& library);

std::string emit_cell_step(const CellStep& step);

// Header, table, a source per ISA.
std::vector<OutputFile> emit_cell_library(const CellLibrary& library);

}  // namespace cortex
