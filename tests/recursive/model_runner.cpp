#include "tests/recursive/model_runner.h"

#include <gtest/gtest.h>

#include <limits>

#include "graph/structure/bracketed.h"

namespace cortex::recursive_test {

const Structures& shipped_trees(bool binary) {
  static const Structures trees[2] = {read_trees(CORTEX_TREES "/sentences-nary.txt").value(),
                                      read_trees(CORTEX_TREES "/sentences-binary.txt").value()};
  return trees[binary];
}

const cortex_context* shared_context() {
  static const cortex_context* context = [] {
    cortex_context_options options = cortex_context_options_init();
    cortex_context* made = nullptr;
    cortex_message message{};
    EXPECT_EQ(cortex_context_create(&options, &made, &message), CORTEX_OK) << message.text;
    return made;
  }();
  return context;
}

Model make_model(const RecursiveProblem& problem, const bench::RecursiveOperands& operands) {
  cortex_recursive_options options = cortex_recursive_options_init();
  options.name = recursive_model_name(problem.model);
  options.hidden = problem.hidden;
  options.vocabulary = operands.vocabulary;
  if (problem.model == RecursiveModel::treelstm_nary) options.max_children = operands.max_children;
  cortex_recursive_model* made = nullptr;
  cortex_message message{};
  EXPECT_EQ(cortex_recursive_create(shared_context(), &options, &made, &message), CORTEX_OK) << message.text;
  Model model(made);
  if (!model) return model;
  for (const bench::RecursiveParameter& p : operands.parameters) {
    EXPECT_EQ(cortex_recursive_set_parameter(made, p.name.c_str(), p.data(), p.count(), &message), CORTEX_OK)
        << message.text;
  }
  return model;
}

Executor make_executor(const Model& model, int threads) {
  cortex_recursive_executor* made = nullptr;
  cortex_message message{};
  EXPECT_EQ(cortex_recursive_executor_create(model.get(), threads, &made, &message), CORTEX_OK)
      << message.text;
  return Executor(made);
}

cortex_recursive_batch batch_of(const Structures& s) {
  cortex_recursive_batch b = cortex_recursive_batch_init();
  b.structures = s.structure_count();
  b.nodes = s.node_count();
  b.structure_offsets = s.first_node.data();
  b.child_offsets = s.first_child.data();
  b.child_ids = s.children.data();
  b.words = s.word.data();
  return b;
}

std::vector<float> run(const Executor& executor, const RecursiveProblem& problem,
                       const Structures& structures) {
  const cortex_recursive_batch batch = batch_of(structures);
  const int64_t second = bench::second_state_size(problem), h = batch.nodes * problem.hidden;
  std::vector<float> states(size_t(h + batch.nodes * second), std::numeric_limits<float>::quiet_NaN());
  cortex_recursive_result results[2] = {};
  results[0].name = "h";
  results[0].where = CORTEX_RECURSIVE_NODES;
  results[0].data = states.data();
  results[1] = results[0];
  results[1].name = bench::second_state_name(problem);
  results[1].data = states.data() + h;
  cortex_message message{};
  EXPECT_EQ(cortex_recursive_run(executor.get(), &batch, results, second ? 2 : 1, &message), CORTEX_OK)
      << message.text;
  return states;
}

std::string refusal_of(const Executor& executor, const cortex_recursive_batch& batch, cortex_status* status) {
  std::vector<float> rows(1 << 16);
  cortex_recursive_result result{};
  result.where = CORTEX_RECURSIVE_ROOTS;
  result.data = rows.data();
  cortex_message message{};
  const cortex_status s = cortex_recursive_run(executor.get(), &batch, &result, 1, &message);
  if (status) *status = s;
  if (s == CORTEX_OK) return "";
  return message.text;
}

}  // namespace cortex::recursive_test
