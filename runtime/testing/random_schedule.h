// Random schedules that check() accepts: loops in any order, several levels, balanced or not, any packs.
#pragma once

#include <optional>

#include "polyopt/schedule/schedule.h"
#include "runtime/testing/random_problem.h"
#include "support/cpu.h"

namespace cortex::testing {

// nullopt when many tries found none. `ahead`: packing B ahead of time is allowed.
std::optional<Schedule> random_schedule(const Nest& coalesced, Isa isa, bool ahead, Random& random);

}  // namespace cortex::testing
