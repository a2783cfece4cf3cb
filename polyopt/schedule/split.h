// Split reductions (Loop::split): the parts' sums lie one after the other in scratch, each in the layout of
// C, and a nest of its own makes C of them.
#pragma once

#include "polyopt/schedule/program.h"

namespace cortex {

// Below so many bytes of parts, waking threads takes longer than adding up.
inline constexpr int64_t bytes_worth_threads = 256 << 10;

// Index of the split loop, -1: there is none.
int split_loop(const Schedule& schedule);

// Bytes from one part's sums to the next one's: C, in whole cache lines. Refuses what overflows.
Result<int64_t> part_bytes(const Nest& nest, int64_t parts);

// C[i] = sum over p of ones[p] * parts[p][i], then the epilogue of `nest`; i: its parallel dims. A product by
// one is exact, so these are additions, which the microkernels make in the order of p.
Nest sum_nest(const Nest& nest, int64_t parts, int64_t part_bytes);

// Rows of C, one after the other; divided among threads where there is much to add. `isa`: of the kernel that
// adds up the parts. Refuses nests without a kernel for it.
Result<Schedule> sum_schedule(const Nest& sum, Isa isa);

}  // namespace cortex
