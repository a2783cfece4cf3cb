// A ready model with random parameters, and its states over a batch.
#pragma once

#include <cortex/recursive.h>

#include <memory>
#include <string>
#include <vector>

#include "bench/recursive/operands.h"

namespace cortex::recursive_test {

struct DestroyModel {
  void operator()(cortex_recursive_model* m) const { cortex_recursive_destroy(m); }
};
struct DestroyExecutor {
  void operator()(cortex_recursive_executor* e) const { cortex_recursive_executor_destroy(e); }
};
using Model = std::unique_ptr<cortex_recursive_model, DestroyModel>;
using Executor = std::unique_ptr<cortex_recursive_executor, DestroyExecutor>;

// The 2,000 shipped trees, as binary trees or with any number of children.
const Structures& shipped_trees(bool binary);

// One context for the whole test program.
const cortex_context* shared_context();

// Failures are test failures; the handle is null then.
Model make_model(const RecursiveProblem& problem, const bench::RecursiveOperands& operands);
Executor make_executor(const Model& model, int threads);

cortex_recursive_batch batch_of(const Structures& structures);

// h of all nodes, then c or M of all nodes.
std::vector<float> run(const Executor& executor, const RecursiveProblem& problem,
                       const Structures& structures);

// "" where the batch runs, else the status' message.
std::string refusal_of(const Executor& executor, const cortex_recursive_batch& batch,
                       cortex_status* status = nullptr);

}  // namespace cortex::recursive_test
