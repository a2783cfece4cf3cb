// Proof that a Schedule computes its Nest: before anybody runs it.
//
// Legal means: every update of the domain is executed; an element's init precedes its updates and its
// epilogue follows them in time; no two instances that touch the same element of C, one of them
// writing, differ in a parallel loop. Updates of one element are a reduction, may run in any order.
// Decided exactly, on the schedule's own tile sizes and remainders.
#pragma once

#include <memory>

#include "graph/nest/nest.h"
#include "polyopt/schedule/schedule.h"
#include "support/result.h"

namespace cortex {

// A refusal names the dependence, two instances that witness it, and the loop that breaks it:
//   parallel loop kh: RAW on C: S[n=0,kh=0] -> S[n=0,kh=1] would run at once: make kh sequential ...
Status check_legal(const Nest& nest, const Schedule& schedule);

// The same for many schedules of one nest: dependences are computed once. Not thread-safe.
class LegalityChecker {
 public:
  static Result<LegalityChecker> make(const Nest& nest);
  LegalityChecker(LegalityChecker&&) noexcept;
  LegalityChecker& operator=(LegalityChecker&&) noexcept;
  ~LegalityChecker();

  Status check(const Schedule& schedule) const;

 private:
  struct State;
  explicit LegalityChecker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cortex
