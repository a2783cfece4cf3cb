// Search modes that measure: from a problem to the schedule that ran fastest here.
#pragma once

#include <functional>
#include <string>

#include "bench/backends/cortex_handles.h"
#include "bench/run/search_mode.h"
#include "graph/problem/problem.h"
#include "polyopt/machine/machine.h"
#include "polyopt/search/wisdom.h"
#include "support/result.h"

namespace cortex::bench {

struct TuneOptions {
  SearchMode mode = SearchMode::measure;
  int threads = 1;
  bool plain = false;
  bool cold = false;   // operands are flushed from the caches before every execution
  double seconds = 2;  // to aim at
  std::function<void(double done)> progress;
  std::function<bool()>
      cancelled;  // asked between executions; true: the fastest so far is the answer, unfinished
};

// The fastest schedule, verified. Not for SearchMode::estimate.
Result<WisdomEntry> tune(const Problem& problem, const Machine& machine, const cortex_context* context,
                         const cortex_thread_pool* pool, const TuneOptions& options);

}  // namespace cortex::bench
