// Schedules as loop strings, the form PARLOOPER made known (Georganas et al., "Harnessing Deep Learning and
// HPC Kernels via High-Level Loop and Tensor Abstractions on CPU Architectures", 2023):
//
//   A{R:2}cba a=50,6~ b=64 c=128 pack(B,panel)@2 | brgemm_f32_f32_f32_7x64x1_avx512 m=a n=b k=c
//
// The first word is the loops, outermost first: a is the nest's first dim, b its second, and so on; a letter
// that comes again cuts the dim's tile once more; a capital is parallel. {R:n}, {C:n}, {D:n}, {T:n} after the
// first, second, ... capital divide that loop among n threads: together they are the thread grid. "-" is no
// loop at all. Then tile sizes, one for every time the letter comes, '~' for balanced tiles, '+' for a split
// reduction; a dim left out goes in steps of 1. A pack stands with the number of loops around it. After "|"
// comes the kernel, as in a schedule's other text form, its roles in letters too.
//
// Both forms say the same; parse_schedule() reads either.
#pragma once

#include <string>
#include <string_view>

#include "polyopt/schedule/schedule.h"

namespace cortex {

std::string to_loop_string(const Schedule& schedule, const Nest& nest);
Result<Schedule> parse_loop_string(std::string_view text, const Nest& nest);

// Whether text is meant as one: its first word has no '/' and begins no pack.
bool is_loop_string(std::string_view text);

// "a=m b=n c=k"
std::string loop_letters(const Nest& nest);

}  // namespace cortex
