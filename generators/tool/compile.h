// The pipeline for one kernel: this file is the table of contents of the compiler.
#pragma once

#include "generators/emit/library.h"
#include "graph/nest/nest.h"
#include "graph/problem/problem.h"
#include "polyopt/machine/machine.h"
#include "polyopt/ranker/ranker.h"
#include "polyopt/schedule/schedule.h"
#include "polyopt/search/wisdom.h"

namespace cortex {

struct KernelRequest {
  Problem problem;
  bool prepacked = true;  // B packed ahead of time where the schedule gains by it
  int threads = 1;
};

// Problem -> Nest -> coalesced Nest -> Schedule -> proof of legality -> Program -> loop IR. The schedule is
// the one `wisdom` knows, if any, else the search's best, as `ranker` sees it where there is one.
Result<LibraryKernel> compile_kernel(const KernelRequest& request, const Machine& machine,
                                     const Wisdom* wisdom = nullptr, const Ranker* ranker = nullptr);

// The same for a schedule that is given: predicted_seconds stays 0.
Result<LibraryKernel> compile_scheduled(const KernelRequest& request, const Machine& machine,
                                        const Nest& coalesced, const Schedule& schedule);

}  // namespace cortex
