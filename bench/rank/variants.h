// The variants a ranking is judged on.
#pragma once

#include "bench/rank/ranking.h"
#include "graph/nest/nest.h"
#include "graph/problem/problem.h"
#include "polyopt/machine/machine.h"
#include "support/result.h"

namespace cortex::bench {

struct VariantOptions {
  int threads = 1;
  bool plain = false;  // weights not packed ahead of time
  int drawn = 200;     // from the whole space
  int tried = 8;       // the search's best
  uint64_t seed = 1;
};

// The search's answer first, its next best after it, then the drawn ones; all distinct, with predictions.
Result<Ranking> choose_variants(const Problem& problem, const Machine& machine,
                                const VariantOptions& options);

// The coalesced nest that a ranking's schedules are for.
Result<Nest> nest_of(const Ranking& ranking);

// What estimate mode, and measure mode with `tried`, would answer if the measured variants were all there is.
// Equal predictions keep the variants' order, in which the search's best come first.
void choose_again(Ranking& ranking, int tried = 8);

// Predictions anew, and the choice they make among the variants that were measured.
Status predict_again(Ranking& ranking, const Machine& machine);

}  // namespace cortex::bench
