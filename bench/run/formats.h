// Types and formats of weights that the command line gives to problems: --dt, --weights, --sparsity.
#pragma once

#include <string>
#include <vector>

#include "bench/run/run_problem.h"
#include "graph/problem/typed.h"
#include "support/result.h"

namespace cortex::bench {

// "bf16", "bf16f32", "u8s8", "u8s8s32": one type for all, or source, weights and destination. A destination
// that is left out is f32 of f32, else the source's. Refuses what are no types of a problem.
Result<Types> parse_dt(const std::string& text);

// Every problem with weights in each of these formats.
Status apply_weights(const std::vector<std::string>& formats, double sparsity,
                     std::vector<RunProblem>& problems);

}  // namespace cortex::bench
