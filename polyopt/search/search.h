// Nest + Machine -> ranked Schedules, each with its Prediction. Pure and deterministic; no isl.
#pragma once

#include <vector>

#include "graph/nest/nest.h"
#include "polyopt/machine/machine.h"
#include "polyopt/model/prediction.h"
#include "polyopt/schedule/schedule.h"
#include "support/result.h"

namespace cortex {

struct SearchOptions {
  int threads = 1;
  int keep = 1;             // schedules to return: the best, and others worth trying that differ from it
  bool prepacked_b = true;  // constant B may be packed ahead of time (not counted)
};

struct Candidate {
  Schedule schedule;
  Prediction prediction;
};

struct SearchResult {
  std::vector<Candidate> best;  // by predicted time, best first
  int64_t variants_scored = 0;
  double seconds = 0;
};

Result<SearchResult> search(const Nest& coalesced, const Machine& machine, const SearchOptions& options);

}  // namespace cortex
