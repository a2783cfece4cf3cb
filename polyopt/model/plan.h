// LoopPlan: a Schedule in the fixed-size form that the model scores and the search enumerates.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "microkernels/catalogue/catalogue.h"
#include "polyopt/model/chain.h"
#include "polyopt/model/facts.h"
#include "polyopt/schedule/schedule.h"

namespace cortex {

inline constexpr int plan_max_loops = 16;

struct PlanLoop {
  int dim = 0;
  int level = 0;  // which level of the dim's chain
  bool parallel = false;
  int threads = 1;
  bool split = false;  // the reduction
};

struct LoopPlan {
  int loops = 0;
  std::array<PlanLoop, plan_max_loops> loop{};
  std::array<const Chain*, facts_max_dims> chain{};  // one per dim of the nest
  const KernelInfo* kernel = nullptr;
  int m_dim = -1, n_dim = -1, k_dim = -1, rows_dim = -1;
  uint32_t batch = 0;  // bit d: reduction dim d is in the kernel besides k_dim
  int a_pack = -1;     // depth, -1: A is read in place
  int64_t a_pad = 0;   // elements
  int b_pack = -1;
  bool b_ahead = false;
  bool b_panel = true;
  double work = 1;        // share of all multiplications done: the others would multiply padding
  double edge_share = 0;  // see row_edge_share()

  void push(int dim, int level) { loop[loops++] = {dim, level, false, 1}; }
  void push_split(int dim) { loop[loops++] = {dim, 0, false, 1, true}; }
};

// Reduction dims of a microkernel's batch (a bit each), outermost first: the slower one moves through A, the
// further out it stands.
std::vector<int> batch_order(const NestFacts& nest, uint32_t batch);

Schedule to_schedule(const LoopPlan& plan, const NestFacts& nest);

using PlanChains = std::array<Chain, facts_max_dims>;
// The plan of a schedule that check() accepts; it points into `chains`. Refuses more loops over one dim than
// chains have levels.
Result<LoopPlan> to_plan(const Nest& nest, const Schedule& schedule, int threads, PlanChains& chains);

}  // namespace cortex
