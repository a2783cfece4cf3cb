// Handles of the C interface that destroy themselves.
#pragma once

#include <memory>

#include "cortex/cortex.h"

namespace cortex::testing {

struct Destroy {
  void operator()(cortex_context* p) const { cortex_context_destroy(p); }
  void operator()(cortex_problem* p) const { cortex_problem_destroy(p); }
  void operator()(cortex_plan* p) const { cortex_plan_destroy(p); }
  void operator()(cortex_thread_pool* p) const { cortex_thread_pool_destroy(p); }
};
template <typename T>
using Handle = std::unique_ptr<T, Destroy>;

}  // namespace cortex::testing
