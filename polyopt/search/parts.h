// Split reductions: in how many parts threads may share one.
#pragma once

#include <cstdint>
#include <vector>

#include "polyopt/model/facts.h"

namespace cortex {

// Parts of a reduction of `extent` steps, most first, none shorter than `least`. Empty where adding the parts
// up would cost too much: C has many elements for what A and B have, or is no f32 sum.
std::vector<int> part_counts(const NestFacts& nest, int64_t extent, int threads, int64_t least);

}  // namespace cortex
