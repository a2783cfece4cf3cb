// From the reference layout to those a user may hold.
#pragma once

#include "bench/fuzz/random_case.h"

namespace cortex::bench {

// The weights of the problem, reference layout -> `layout`.
void to_weights_layout(const Problem& problem, const float* reference, WeightsLayout layout, float* out);

}  // namespace cortex::bench
