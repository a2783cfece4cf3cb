// A problem's epilogue as kernels take it.
#pragma once

#include "cortex/microkernels.h"
#include "graph/nest/epilogue.h"

namespace cortex {

// The members that are the same for every call; pointers and the type of C are left to the caller.
inline cortex_epilogue constant_epilogue(const Epilogue& e) {
  cortex_epilogue out{};
  out.c_zero_point = e.zero_point;
  out.residual_scale = e.residual_scale;
  out.residual_after_activation = e.residual_after_activation;
  out.activation = static_cast<int32_t>(e.activation);
  out.alpha = e.alpha;
  out.beta = e.beta;
  return out;
}

}  // namespace cortex
