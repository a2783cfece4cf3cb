// Problem lines for readers that bring the types of lines which state none (--dt, --cfg): those of a command
// line. What is derived from types is checked with them: zero points, sizes.
#pragma once

#include "graph/problem/problem.h"

namespace cortex {

// Integer sums that become another type then have scales, as --attr-oscale=per_oc gives them.
struct Types {
  DataType src = DataType::f32, wei = DataType::f32, dst = DataType::f32;
};

Result<Problem> parse_problem(std::string_view line, OpKind op, const Types& unstated);
Result<std::vector<Problem>> read_batch(const std::string& path, OpKind op, const Types& unstated);

}  // namespace cortex
