// Problem -> Nest. Activations NHWC (channels of a group adjacent), weights [g][kd][kh][kw][ic][oc],
// matmul operands as the problem says. Unit dims are dropped; dims come in textbook order.
#pragma once

#include "graph/nest/nest.h"
#include "graph/problem/problem.h"

namespace cortex {

Result<Nest> lower(const Problem& problem);

}  // namespace cortex
