// One plan, executed under guard pages and compared with the reference.
#pragma once

#include <string>

#include "cortex/cortex.h"
#include "runtime/testing/handle.h"
#include "runtime/testing/reference.h"

namespace cortex::testing {

Handle<cortex_context> context_for(const char* max_isa);  // nullptr: whatever the environment says
Handle<cortex_problem> problem_of(const Problem& problem, cortex_message* message);
Handle<cortex_thread_pool> pool_of(int threads);

struct Outcome {
  std::string failure;     // empty: correct
  double error_ratio = 0;  // largest |error| / tolerance
  bool ok() const { return failure.empty(); }
};

// Creates the plan, packs, executes twice (dst poisoned before each) with operands that end, or begin, at
// inaccessible pages, and checks that inputs stay as they were. Weights are zero where options.sparse_weights
// are. `in_place`: the residual is dst itself.
Outcome check_plan(const cortex_context* context, const Problem& problem, const cortex_plan_options& options,
                   const cortex_thread_pool* pool, uint64_t seed, bool in_place = false);

}  // namespace cortex::testing
