// The cost model: cycles of the slowest thread for one LoopPlan, in well under a microsecond.
//
// Per operand and cache level: let d be the outermost depth whose working set (what one visit of the loops
// inside touches) fits the level. Reuse carried by the loop just outside d is held by the level, as is that
// of the loops around it which do not change the operand's subscripts. Traffic into the level is then the
// footprint of the operand inside the first loop, going outwards, that changes its subscripts, times the
// trips of all loops further out. (The rule of MOpt, ASPLOS 2021, with lines for elements, windows that
// slide, and packed copies as operands of their own.)
//
// Whatever fits a level as a whole is taken to be there already: the model speaks of repeated executions.
#pragma once

#include "polyopt/machine/machine.h"
#include "polyopt/model/footprint.h"
#include "polyopt/model/plan.h"
#include "polyopt/model/prediction.h"
#include "polyopt/model/stream.h"

namespace cortex {

class Model {
 public:
  // Both must outlive the model.
  Model(const NestFacts& nest, const Machine& machine);

  double score(const LoopPlan& plan, Prediction* detail = nullptr) const;

  const NestFacts& nest() const { return nest_; }
  const Machine& machine() const { return machine_; }

 private:
  double shows(const Stream& s, const LoopPlan& plan, int level, bool last, double unfollowed) const;
  double store_cycles(const LoopPlan& plan, const Walk& walk, const Streams& streams) const;

  const NestFacts& nest_;
  const Machine& machine_;
  std::array<Layout, operand_count> in_place_;
};

}  // namespace cortex
