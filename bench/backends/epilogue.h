// The epilogue as a pass of its own, for peers that cannot fuse it.
#pragma once

#include "graph/nest/epilogue.h"

namespace cortex::bench {

// Bias, residual, ReLU and clip. What needs exp or erf would measure our loop, not the peer.
bool can_apply_epilogue(const Epilogue& epilogue);

// c (reference layout, `rows` x `columns`) becomes epilogue(c); the residual is read from `residual`.
void apply_epilogue(const Epilogue& epilogue, float* c, int64_t rows, int64_t columns, const float* bias,
                    const float* residual);

}  // namespace cortex::bench
