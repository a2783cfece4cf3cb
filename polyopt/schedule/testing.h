// What tests of schedules share.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "graph/lower/lower.h"
#include "polyopt/schedule/program.h"
#include "polyopt/schedule/schedule.h"

namespace cortex::testing {

inline Nest nest_of(const char* line) {
  Result<Problem> problem = parse_problem(line);
  EXPECT_TRUE(problem.ok()) << (problem.ok() ? "" : problem.error().message);
  Result<Nest> nest = lower(*problem);
  EXPECT_TRUE(nest.ok()) << (nest.ok() ? "" : nest.error().message);
  return coalesce(*nest);
}

inline std::string kernel(const char* tile) { return std::string("brgemm_f32_f32_f32_") + tile; }

inline ProgramKernel kernel_of(const Nest& nest, const std::string& text) {
  const Result<Schedule> schedule = parse_schedule(text, nest);
  EXPECT_TRUE(schedule.ok()) << schedule.error().message;
  const Result<Program> program = resolve(nest, *schedule);
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program->kernel;
}

}  // namespace cortex::testing
