// One isl context with a budget: isl counts its own elementary operations, and a question that would
// take forever becomes a refusal instead.
#pragma once

#include <isl/ctx.h>

#include <cstdint>
#include <string>

#include "polyopt/isl/handle.h"
#include "support/result.h"

namespace cortex::polyhedral {

class Context {
 public:
  // max_operations: 0 means no limit. 20 million take about a second.
  explicit Context(unsigned long max_operations = 20'000'000);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  isl_ctx* get() const { return ctx_; }

  Set set(const std::string& text) const;
  Map map(const std::string& text) const;

  // Starts the operation count anew; called before each question.
  void restart() const { isl_ctx_reset_operations(ctx_); }

  // Whether a call failed since the last refusal. Most failures show as a null result, but isl's counting
  // returns a partial number when the budget runs out.
  bool failed() const { return isl_ctx_last_error(ctx_) != isl_error_none; }

  // Why the last isl call failed, and clears it. `what` names the question: "dependences of conv".
  Error refusal(const std::string& what) const;

 private:
  isl_ctx* ctx_;
  unsigned long max_operations_;
};

// A coordinate of a point, as an integer.
int64_t coordinate(const Point& point, int position);

}  // namespace cortex::polyhedral
