// `cortex-gen generate`: problems -> a kernel library's sources in a folder.
#pragma once

#include <string>
#include <vector>

#include "graph/problem/problem.h"
#include "support/cpu.h"
#include "support/result.h"

namespace cortex {

struct GenerateOptions {
  std::vector<std::string> batch_files, problems;
  OpKind op = OpKind::any;
  std::vector<Isa> isas;
  std::vector<int> threads;
  std::string out = ".", name = "kernels";
  std::string machine_file;  // empty: the host
  std::string wisdom_file;   // measured schedules, empty: none
  std::string ranker_file;   // trained ranker, empty: none
  bool plain = false;        // matmul: also kernels that take B as it is
  int parts = 0;             // 0: one per 25 kernels
  int jobs = 0;              // 0: one per hardware thread
};

// Prints a summary line on stdout, progress on stderr where that is a terminal.
Status run_generate(const GenerateOptions& options);

// Names of the files that run_generate writes for a given number of parts.
Status print_outputs(const GenerateOptions& options);

}  // namespace cortex
