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

// f(element in NHWC, element in a plan's layout) for every element of an activation.
template <typename F>
void for_each_element(int64_t batch, int64_t channels, int64_t points, int64_t images, int64_t block, F f) {
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < points; ++p)
        f(static_cast<std::size_t>((n * points + p) * channels + c),
          static_cast<std::size_t>(cortex_activation_element(n, c, p, channels, points, images, block)));
}

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
