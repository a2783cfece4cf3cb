// Exact footprints: how many distinct elements and cache lines of each operand a tile touches.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "graph/nest/nest.h"
#include "polyopt/analysis/tiling.h"
#include "polyopt/schedule/schedule.h"
#include "support/result.h"

namespace cortex {

struct OperandFootprint {
  int64_t elements = 0;
  int64_t lines = 0;       // with the tensor's first element at the start of a line
  bool factorised = true;  // counted as a product of projections; false: point by point
};

struct ExactFootprint {
  std::array<OperandFootprint, operand_count> array;
  int64_t line_bytes = 64;

  int64_t lines() const { return array[0].lines + array[1].lines + array[2].lines; }
  int64_t bytes() const { return lines() * line_bytes; }
};

// The iterations of `tile`, one range per dim of the nest. Operands where the user holds them, packs
// not considered; elements outside a padded tensor do not count. Refuses when the access image is no
// product and too large to enumerate.
Result<ExactFootprint> exact_footprint(const Nest& nest, const std::vector<polyhedral::TileRange>& tile,
                                       int64_t line_bytes = 64);

// The same of a full-size tile away from the edges, where `depth` loops of the schedule are open.
Result<ExactFootprint> exact_footprint(const Nest& nest, const Schedule& schedule, int depth,
                                       int64_t line_bytes = 64);

}  // namespace cortex
