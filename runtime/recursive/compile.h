// A model, ready-made or given as text, becomes something an executor can run.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/recursive/executor.h"
#include "support/cpu.h"

namespace cortex::recursive {

struct CompileOptions {
  Isa isa = Isa::baseline;
  bool bidirectional = false;
  bool bf16 = false;                              // weights of products
  std::string disable;                            // comma-separated transformation names
  std::vector<const cortex_cell_library*> cells;  // later ones first
};

// `program_text` receives the program for people.
Result<CompiledModel> compile(const Model& model, const CompileOptions& options, std::string* program_text);

}  // namespace cortex::recursive
