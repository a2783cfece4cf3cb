// The arithmetic of a batch.
#pragma once

#include "graph/recursive/model.h"
#include "runtime/recursive/linearize.h"

namespace cortex::recursive {

// Two per multiply-add of the model's own products; those with absent children left out.
double count_flops(const Model& model, const Linear& linear);

}  // namespace cortex::recursive
