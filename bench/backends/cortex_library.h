// Generated kernels for the Cortex backend: the library linked into this tool, and loaded ones.
#pragma once

#include <string>
#include <vector>

#include "cortex/cell_library.h"
#include "cortex/kernel_library.h"
#include "support/result.h"

namespace cortex::bench {

// Those linked into cortex-bench: the shipped problem lists; empty in builds without the generator.
std::vector<const cortex_kernel_library*> built_in_libraries();

// Likewise for recursive cells.
std::vector<const cortex_cell_library*> built_in_cells();

// FILE.so, whose function is named after it (libNAME.so or NAME.so), or FILE.so:NAME. Stays loaded.
Result<const cortex_kernel_library*> load_library(const std::string& file_and_name);

}  // namespace cortex::bench
