// Runs one random case through the C API under guard pages and checks the result.
#pragma once

#include <map>
#include <memory>

#include "bench/fuzz/random_case.h"
#include "support/cpu.h"

namespace cortex::bench {

struct CaseOutcome {
  bool ok = false;
  double error_ratio = 0;
  std::string message;  // why not ok
};

class CaseRunner {
 public:
  CaseRunner();
  ~CaseRunner();
  CaseOutcome run(const FuzzCase& c, Isa isa);

 private:
  struct State;
  std::unique_ptr<State> state_;  // contexts and thread pools, made when first needed
};

}  // namespace cortex::bench
