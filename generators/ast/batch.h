// The BRGEMM batch: by stride where one stride describes it, else by constant tables of offsets.
#pragma once

#include "generators/ast/tile_loops.h"
#include "generators/loop_ir/loop_ir.h"

namespace cortex {

Result<std::vector<Field>> batch_fields(const Program& program, const TileLoops& loops, Function& f);

}  // namespace cortex
