// `cortex-gen explain`: everything the compiler knows of one problem, written for a person.
#pragma once

#include <optional>
#include <string>

#include "graph/problem/problem.h"
#include "support/cpu.h"
#include "support/result.h"

namespace cortex {

struct ExplainOptions {
  std::string problem;
  OpKind op = OpKind::any;
  Isa isa = Isa::baseline;
  int threads = 1;
  std::string machine_file;  // empty: the host
  std::string schedule;      // empty: the best that search finds
  bool prepack = true;       // constant B may be packed ahead of time
};

// The whole report. Refuses what the compiler would refuse; an illegal schedule with its witness.
Result<std::string> explain(const ExplainOptions& options);

}  // namespace cortex
