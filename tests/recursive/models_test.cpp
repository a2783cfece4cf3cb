// Every ready model against the double-precision reference, at every node.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "bench/recursive/reference.h"
#include "tests/recursive/model_runner.h"

namespace cortex::recursive_test {
namespace {

void check(const std::string& text, const Structures* trees, int32_t batches, int threads) {
  SCOPED_TRACE(fmt::format("{} threads {}", text, threads));
  const RecursiveProblem problem = parse_recursive(text)->front();
  const auto operands = bench::make_recursive_operands(problem, trees, {batches, 1});
  ASSERT_TRUE(operands.ok()) << operands.error().message;
  const Model model = make_model(problem, *operands);
  ASSERT_TRUE(model);
  const Executor executor = make_executor(model, threads);
  ASSERT_TRUE(executor);
  std::vector<float> result;
  for (const Structures& batch : operands->batches) {
    const std::vector<float> states = run(executor, problem, batch);
    result.insert(result.end(), states.begin(), states.end());
  }
  const bench::RecursiveReference reference(problem, *operands);
  ASSERT_EQ(int64_t(result.size()), reference.result_count());
  const bench::Verdict verdict = reference.check(result.data());
  EXPECT_LE(verdict.error_ratio, 1) << verdict.where;
  ::testing::Test::RecordProperty("error_ratio", fmt::format("{:.3f}", verdict.error_ratio));
}

class OverTrees : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Recursive, OverTrees,
                         ::testing::Values("treernn", "treegru", "treelstm", "treefc", "mvrnn",
                                           "treelstm-nary", "seqlstm", "seqgru", "seqrnn"),
                         [](const auto& i) {
                           std::string name = i.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(OverTrees, TwoThousandBinaryTrees) {
  // A matrix a word and a matrix a node make mvrnn's states large.
  const bool small = std::string(GetParam()) == "mvrnn";
  check(fmt::format("{} h{} mb50 trees", GetParam(), small ? 6 : 16), &shipped_trees(true), 40, 1);
}

TEST_P(OverTrees, TwoThousandTreesOfAnyArity) {
  const std::string model = GetParam();
  if (model == "treefc" || model == "mvrnn") GTEST_SKIP() << "joins two children";
  // 15 children a node are 15 x 15 forget matrices.
  check(fmt::format("{} h{} mb50 trees", model, model == "treelstm-nary" ? 4 : 16), &shipped_trees(false), 40,
        2);
}

TEST_P(OverTrees, HiddenSizesThatFillNoVector) {
  for (const int hidden : {1, 3, 17, 33, 65}) {
    check(fmt::format("{} h{} mb4 trees", GetParam(), hidden), &shipped_trees(true), 1, 1);
  }
}

TEST_P(OverTrees, LargeStates) {
  check(fmt::format("{} h{} mb10 trees", GetParam(), std::string(GetParam()) == "mvrnn" ? 64 : 256),
        &shipped_trees(true), 1, 2);
}

TEST(Shapes, PerfectTreesChainsStarsGridsAndDags) {
  for (const char* text :
       {"treefc h20 mb3 perfect7", "treelstm h20 mb3 perfect7", "treegru h20 mb2 chain300",
        "treelstm h20 mb2 chain300", "treernn h20 mb1 star10000", "treegru h20 mb1 star10000",
        "treelstm h20 mb1 star10000", "dagrnn h20 mb3 grid10x10", "dagrnn h20 mb8 dag60",
        "seqlstm h20 mb3 seq100", "seqgru h20 mb3 seq100", "treelstm h20 mb9 tree60",
        "treegru h20 mb9 tree60", "treelstm-nary h12 mb9 tree60", "mvrnn h9 mb5 tree60"}) {
    for (const int threads : {1, 2}) check(text, nullptr, 2, threads);
  }
}

TEST(Shapes, AMillionNodesInARow) {
  for (const char* text : {"seqrnn h2 mb1 seq1000000", "treernn h2 mb1 chain1000000"}) {
    const RecursiveProblem problem = parse_recursive(text)->front();
    const auto operands = bench::make_recursive_operands(problem, nullptr, {1, 1});
    const Model model = make_model(problem, *operands);
    const std::vector<float> states = run(make_executor(model, 1), problem, operands->batches[0]);
    for (size_t i = 0; i < states.size(); ++i) ASSERT_LE(std::abs(states[i]), 1.0f) << text << " " << i;
  }
}

}  // namespace
}  // namespace cortex::recursive_test
