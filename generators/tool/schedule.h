// `cortex-gen schedule`: what the search finds for a problem.
#pragma once

#include <string>
#include <vector>

#include "graph/problem/problem.h"
#include "support/cpu.h"
#include "support/result.h"

namespace cortex {

struct ScheduleOptions {
  std::vector<std::string> problems;
  OpKind op = OpKind::any;
  std::vector<Isa> isas;
  std::vector<int> threads;
  std::string machine_file;
  int keep = 1;
  bool plain = false;
  bool code = false;
};

Status run_schedule(const ScheduleOptions& options);

}  // namespace cortex
