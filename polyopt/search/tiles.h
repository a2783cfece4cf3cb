// Candidate tile sizes. A size stands for "cut in so many equal parts": what remains of the last part is
// then never a sliver.
#pragma once

#include <cstdint>
#include <vector>

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/machine/machine.h"
#include "polyopt/model/chain.h"

namespace cortex {

// Sizes that cut `extent` in 2, 3, 4, 6, 8, ... parts, each a multiple of `unit`, down to `least`;
// at most `most` of them, spread evenly. Never the whole extent.
std::vector<int64_t> block_sizes(int64_t extent, int64_t unit, int64_t least, std::size_t most);

// A dim of `extent` in blocks of tiles; 0: no blocks, or no tiles.
Chain tiled(int64_t extent, int64_t block, int64_t tile, bool balanced);

// The same in equal parts for threads, each in blocks.
Chain parted(int64_t extent, int64_t part, int64_t block);

// Rows of register tiles worth a try: all that the kernel takes, and fewer where a high tile's stores keep
// the next one waiting. `c_bytes`: of an element of C.
std::vector<int64_t> tile_heights(const KernelInfo& kernel, const Machine& machine, double c_bytes);

}  // namespace cortex
