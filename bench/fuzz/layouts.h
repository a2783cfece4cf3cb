// From the reference layout to those a user may hold, and back.
#pragma once

#include "bench/fuzz/random_case.h"

namespace cortex::bench {

// [n][spatial][channels] <-> [n][channels][spatial]
void channels_first(const float* channels_last, int64_t n, int64_t spatial, int64_t channels, float* out);
void channels_last(const float* channels_first, int64_t n, int64_t spatial, int64_t channels, float* out);

// The weights of the problem, reference layout -> `layout`.
void to_weights_layout(const Problem& problem, const float* reference, WeightsLayout layout, float* out);

}  // namespace cortex::bench
