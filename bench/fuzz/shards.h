// Cases spread over child processes; crashes and hangs become failures.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/fuzz/random_case.h"
#include "support/cpu.h"

namespace cortex::bench {

struct FuzzOptions {
  uint64_t seed = 1;
  int64_t first = 0, count = 1000;
  FuzzSpace space;
  std::vector<Isa> isas;
  double time_limit = 0;
  int processes = 1;
};

struct FuzzFailure {
  int64_t index = 0;
  Isa isa = Isa::baseline;
  std::string message;
};

struct FuzzReport {
  int64_t runs = 0;          // cases times ISAs
  double largest_ratio = 0;  // of those that passed
  int64_t largest_index = 0;
  Isa largest_isa = Isa::baseline;
  std::vector<FuzzFailure> failures;
  bool interrupted = false;  // Ctrl-C came before all cases were run
};

struct FuzzListener {
  std::function<void(const FuzzFailure&)> failed;
  std::function<void(int64_t runs)> progress;
};

// Ctrl-C ends each child after the case at work; a second one ends everything.
Result<FuzzReport> fuzz(const FuzzOptions& options, const FuzzListener& listener);

}  // namespace cortex::bench
