// The problem lists that ship with Cortex.
#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace cortex::bench {

// The folder they are in: beside the installed tool (../share/cortex/workloads), else in the source tree.
// Empty when neither exists.
std::string workloads_folder();

struct Workload {
  std::string name;  // "conv_resnet50_mb1"
  std::string path;
  std::string comment;    // its first comment line, without the '#'
  int problems = 0;       // lines that are not comments
  bool runnable = false;  // conv or matmul: what this version knows
};
std::vector<Workload> shipped_workloads();

// A path as it is when there is such a file, else a shipped list by name, with or without ".txt".
Result<std::string> find_workload(const std::string& path_or_name);

}  // namespace cortex::bench
