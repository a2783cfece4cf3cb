// A model's way to its program: passes over the model, then its lowering.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "graph/recursive/model.h"
#include "polyopt/recursive/program.h"
#include "support/result.h"

namespace cortex::recursive {

// Those that can be left out, in program and executor.
const std::vector<std::string>& transformation_names();

// A comma-separated list of them.
Result<std::set<std::string>> read_transformations(const std::string& list);

struct ModelProgram {
  Model transformed;
  Program program;
};

// panel: columns of a weight panel, cortex_cell_panel_<isa>.
Result<ModelProgram> make_program(const Model& model, int64_t panel, const std::set<std::string>& disabled);

}  // namespace cortex::recursive
