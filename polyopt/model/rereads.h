// What a depthwise kernel reads more than once within one call, where a cache does not hold it meanwhile.
#pragma once

#include "polyopt/model/walk.h"

namespace cortex {

// A call goes over its outputs in blocks of a few rows and columns, all channels of one block before the
// next. Neighbouring blocks share inputs, and all read the same weights.
struct Rereads {
  double block_bytes = 0;  // that one block reads and writes
  double band_bytes = 0;   // that the blocks side by side do
  double wide = 1;         // times an input is read, blocks side by side taken apart
  double high = 1;         // the same of bands below one another
  double blocks = 1;       // of one call

  // Times that A, or B, crosses into a cache of `capacity` bytes, where up to `most` are lost in part.
  double of_a(double capacity, double most) const;
  double of_b(double capacity, double most) const;
};

// The blocks that plan's kernel, a depthwise one, cuts its calls into. By columns, if it can: calls of too
// few rows for that are by rows, and cost about what they would cost by columns.
WindowBlock blocks_of(const NestFacts& nest, const LoopPlan& plan);

// Ones for every other kernel.
Rereads rereads_of(const NestFacts& nest, const LoopPlan& plan, const Walk& walk);

}  // namespace cortex
