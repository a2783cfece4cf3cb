// What 8-bit sources need besides a copy: s8 becomes u8, what stands for zero is written into the padding,
// and what it adds to the sums is taken back (see a_zero in graph/lower/lower.h).
#pragma once

#include <cstdint>

#include "graph/problem/problem.h"

namespace cortex {

// Part `part` of `parts` of the copied source, `bytes` long (a multiple of 4): 128 is added to every s8.
void shift_to_u8(void* copy, int64_t bytes, int part, int parts);

// Part `part` of `parts` of the copied source of a convolution: the padding becomes a_zero.
void fill_halo(const Problem& problem, void* copy, int part, int parts);

// -a_zero times the sum of each column of weights in the nest's layout, one for each output channel or
// column.
void compensate(const Problem& problem, const void* nest_weights, int32_t* sums);

}  // namespace cortex
