// The best plans seen so far, distinct, in order of score.
#pragma once

#include <algorithm>
#include <vector>

#include "polyopt/model/plan.h"

namespace cortex {

struct ScoredPlan {
  double cycles = 0;
  LoopPlan plan;
};

class BestPlans {
 public:
  explicit BestPlans(std::size_t keep) : keep_(std::max<std::size_t>(keep, 1)) { plans_.reserve(keep_ + 1); }

  double worst() const { return plans_.size() < keep_ ? 1e300 : plans_.back().cycles; }
  const std::vector<ScoredPlan>& plans() const { return plans_; }

  void offer(double cycles, const LoopPlan& plan) {
    if (cycles >= worst()) return;
    const auto at = std::upper_bound(plans_.begin(), plans_.end(), cycles,
                                     [](double c, const ScoredPlan& p) { return c < p.cycles; });
    // Equal plans have equal scores: only neighbours need comparing.
    for (auto p = at; p != plans_.begin() && (p - 1)->cycles == cycles; --p) {
      if (same(plan, (p - 1)->plan)) return;
    }
    plans_.insert(at, {cycles, plan});
    if (plans_.size() > keep_) plans_.pop_back();
  }

 private:
  static bool same(const LoopPlan& x, const LoopPlan& y) {
    if (x.loops != y.loops || x.kernel != y.kernel || x.m_dim != y.m_dim || x.a_pack != y.a_pack ||
        x.b_pack != y.b_pack || x.a_pad != y.a_pad || x.batch != y.batch) {
      return false;
    }
    for (int i = 0; i < x.loops; ++i) {
      const PlanLoop &l = x.loop[i], &r = y.loop[i];
      if (l.dim != r.dim || l.threads != r.threads || l.split != r.split) return false;
      const ChainLevel &lc = x.chain[l.dim]->level[l.level], &rc = y.chain[r.dim]->level[r.level];
      if (lc.step != rc.step || lc.balanced != rc.balanced) return false;
    }
    return true;
  }

  std::size_t keep_;
  std::vector<ScoredPlan> plans_;
};

}  // namespace cortex
