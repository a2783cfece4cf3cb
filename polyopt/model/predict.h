// A Prediction for any legal Schedule, wherever it comes from (search, wisdom, a person).
#pragma once

#include "polyopt/machine/machine.h"
#include "polyopt/model/facts.h"
#include "polyopt/model/prediction.h"
#include "polyopt/schedule/schedule.h"

namespace cortex {

// Refuses what check() refuses.
Result<Prediction> predict(const Nest& coalesced, const Schedule& schedule, const Machine& machine,
                           int threads);

// Fills io_lower_bound_bytes (each operand crosses the memory bus once: what no schedule avoids if
// nothing is cached beforehand) and roofline_seconds.
void add_bounds(Prediction& prediction, const NestFacts& nest, const Machine& machine, int threads);

}  // namespace cortex
