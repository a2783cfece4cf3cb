// A trained forest as a file, and what it is for: the order of schedules that the cost model likes best.
#pragma once

#include <string>
#include <vector>

#include "polyopt/machine/machine.h"
#include "polyopt/ranker/forest.h"
#include "polyopt/search/search.h"
#include "support/result.h"

namespace cortex {

class Ranker {
 public:
  // For the CPU that `machine` describes and this version.
  explicit Ranker(const Machine& machine);

  // Refuses what is no ranker, is damaged, or was trained on another CPU, version or set of features.
  // `source` names the file in the message.
  Status parse(const std::string& text, const std::string& source);
  std::string text() const;

  // What the cost model's time is to be multiplied with.
  double correction(const Schedule& schedule, const Prediction& prediction) const;
  // The search's best, in the order of corrected time. Equal times keep the search's order.
  void reorder(std::vector<Candidate>& best) const;

  Forest forest;

 private:
  std::string cpu_;
};

// How many of the search's best are worth reordering.
inline constexpr int ranker_keeps = 64;

// Estimate mode's answer: the search's first, or the ranker's where there is one.
Result<Candidate> best_schedule(const Nest& coalesced, const Machine& machine, SearchOptions options,
                                const Ranker* ranker);

}  // namespace cortex
