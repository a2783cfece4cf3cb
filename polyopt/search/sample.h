// Schedules spread over the space: what a ranking is judged on. Not guided by the cost model.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/nest/nest.h"
#include "polyopt/machine/machine.h"
#include "polyopt/schedule/schedule.h"
#include "polyopt/search/search.h"
#include "support/result.h"

namespace cortex {

// Up to `count` distinct schedules that check() accepts, the same for the same seed. Strata: the kernels that
// fit the problem (register tiles that fill at most twice the multiply-adds of the best one), in turn. Within
// one, at random: the roles, which dims are blocked, block sizes (log-uniform), the order of the block loops
// and of the tile loops, where A and B are packed or that they are not, and the thread grid. Fewer come back
// where the space has no more.
Result<std::vector<Schedule>> sample_schedules(const Nest& coalesced, const Machine& machine,
                                               const SearchOptions& options, int count, uint64_t seed);

}  // namespace cortex
