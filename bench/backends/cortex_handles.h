// RAII over the C API's handles, and its failures as Errors.
#pragma once

#include <cortex/cortex.h>

#include <memory>

#include "support/result.h"

namespace cortex::bench {

template <auto Destroy>
struct Deleter {
  template <typename T>
  void operator()(T* p) const {
    Destroy(p);
  }
};
using ContextHandle = std::unique_ptr<cortex_context, Deleter<cortex_context_destroy>>;
using ProblemHandle = std::unique_ptr<cortex_problem, Deleter<cortex_problem_destroy>>;
using PlanHandle = std::unique_ptr<cortex_plan, Deleter<cortex_plan_destroy>>;
using PoolHandle = std::unique_ptr<cortex_thread_pool, Deleter<cortex_thread_pool_destroy>>;

inline Error failure(cortex_status status, const cortex_message& message) {
  const ErrorCode code = status == CORTEX_NOT_FOUND || status == CORTEX_UNSUPPORTED ? ErrorCode::unsupported
                         : status == CORTEX_OUT_OF_MEMORY                           ? ErrorCode::out_of_memory
                         : status == CORTEX_INTERNAL                                ? ErrorCode::internal
                                                     : ErrorCode::invalid_argument;
  return {code, message.text[0] ? message.text : cortex_status_string(status)};
}

}  // namespace cortex::bench
