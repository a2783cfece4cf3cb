// Candidate tile sizes. A size stands for "cut in so many equal parts": what remains of the last part is
// then never a sliver.
#pragma once

#include <cstdint>
#include <vector>

namespace cortex {

// Sizes that cut `extent` in 2, 3, 4, 6, 8, ... parts, each a multiple of `unit`, down to `least`;
// at most `most` of them, spread evenly. Never the whole extent.
std::vector<int64_t> block_sizes(int64_t extent, int64_t unit, int64_t least, std::size_t most);

}  // namespace cortex
