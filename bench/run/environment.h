// The environment a worker runs in: what the peer libraries read when they load.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/cpu.h"

namespace cortex::bench {

// The variables set for `isa` and `threads` (the largest count).
std::map<std::string, std::string> worker_variables(Isa isa, int threads);

// The whole environment as NAME=value: the current one, without any variable that tunes OpenMP, a BLAS,
// oneDNN or LIBXSMM, plus worker_variables.
std::vector<std::string> worker_environment(Isa isa, int threads);

}  // namespace cortex::bench
