// A problem of any operator that `cortex-bench run` measures.
#pragma once

#include <string>
#include <variant>

#include "graph/problem/problem.h"
#include "graph/problem/recursive.h"
#include "graph/problem/rnn.h"

namespace cortex::bench {

struct RunProblem {
  std::variant<Problem, RecursiveProblem, RnnProblem> what;
  std::string weights = "dense";  // format that the weights are pruned to

  const Problem* dense() const { return std::get_if<Problem>(&what); }
  const RecursiveProblem* recursive() const { return std::get_if<RecursiveProblem>(&what); }
  const RnnProblem* rnn() const { return std::get_if<RnnProblem>(&what); }
  const std::string& text() const {
    return std::visit([](const auto& p) -> const std::string& { return p.text; }, what);
  }
  const std::string& name() const {
    return std::visit([](const auto& p) -> const std::string& { return p.name; }, what);
  }
  int64_t count() const {
    return std::visit([](const auto& p) { return p.count; }, what);
  }
  const char* op() const {
    const Problem* p = dense();
    return p ? (p->is_conv() ? "conv" : "matmul") : recursive() ? "recursive" : "rnn";
  }
};

}  // namespace cortex::bench
