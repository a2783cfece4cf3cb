// Range arithmetic of a Schedule that check, resolve and the cost model share.
#pragma once

#include "polyopt/schedule/schedule.h"

namespace cortex {

// Longest range of `dim` where `depth` loops are open.
int64_t max_range(const Nest& nest, const Schedule& schedule, int dim, int depth);

// Most tiles loop `index` can have in one visit.
int64_t max_trips(const Nest& nest, const Schedule& schedule, int index);

// True if subscript j of A can leave the tensor.
bool leaves_tensor(const Nest& nest, const Access& access, int j);

// The pack of `operand`, or nullptr.
const Pack* find_pack(const Schedule& schedule, Operand operand);

}  // namespace cortex
