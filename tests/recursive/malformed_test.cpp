// Batches that mean nothing are refused with one line that says where and what.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/recursive/model_runner.h"

namespace cortex::recursive_test {
namespace {

struct Arrays {
  std::vector<int32_t> offsets, child_offsets, children, words;
};

// Two trees: 2 over (0, 1), and 5 over (3, 4).
const Arrays good = {{0, 3, 6}, {0, 0, 0, 2, 2, 2, 4}, {0, 1, 3, 4}, {0, 1, -1, 2, 3, -1}};

struct Case {
  const char* model;
  const char* words;  // all of them must be in the message
  std::function<void(Arrays&)> spoil;
};

cortex_recursive_batch batch_of(const Arrays& a) {
  cortex_recursive_batch b = cortex_recursive_batch_init();
  b.structures = int64_t(a.offsets.size()) - 1;
  b.nodes = int64_t(a.words.size());
  b.structure_offsets = a.offsets.data();
  b.child_offsets = a.child_offsets.data();
  b.child_ids = a.children.data();
  b.words = a.words.data();
  return b;
}

struct Ready {
  explicit Ready(const std::string& name)
      : problem(parse_recursive(name + (name[0] == 's' ? " h4 seq3" : " h4 perfect1"))->front()),
        operands(bench::make_recursive_operands(problem, nullptr, {1, 1}).value()),
        model(make_model(problem, operands)),
        executor(make_executor(model, 1)) {}
  RecursiveProblem problem;
  bench::RecursiveOperands operands;
  Model model;
  Executor executor;
};

void expect_refusal(const Ready& ready, const cortex_recursive_batch& batch, const std::string& words) {
  cortex_status status = CORTEX_OK;
  const std::string message = refusal_of(ready.executor, batch, &status);
  EXPECT_EQ(status, CORTEX_INVALID_ARGUMENT) << words;
  EXPECT_FALSE(message.empty()) << words;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (size_t at = 0; at <= words.size();) {
    const size_t end = std::min(words.find('|', at), words.size());
    EXPECT_NE(message.find(words.substr(at, end - at)), std::string::npos)
        << message << " lacks " << words.substr(at, end - at);
    at = end + 1;
  }
}

TEST(Malformed, StructuresAreRefusedByNameOfNode) {
  const Case cases[] = {
      // its own child; the same child twice; no such node; a negative one; one of the other structure
      {"treelstm", "tree 0|cycle", [](Arrays& a) { a.children[0] = 2; }},
      {"treelstm", "node 0 has two parents", [](Arrays& a) { a.children[1] = 0; }},
      {"treelstm", "node 2|9", [](Arrays& a) { a.children[0] = 9; }},
      {"treelstm", "node 2|-1", [](Arrays& a) { a.children[0] = -1; }},
      {"treelstm", "node 2|4", [](Arrays& a) { a.children[0] = 4; }},
      // words beyond the table
      {"treelstm", "word|5000", [](Arrays& a) { a.words[3] = 5000; }},
      {"treelstm", "word|-2", [](Arrays& a) { a.words[3] = -2; }},
      // structures that are empty, overlap, or leave a node out
      {"treelstm", "tree 1|no nodes",
       [](Arrays& a) {
         a.offsets = {0, 3, 3, 6};
       }},
      {"treelstm", "tree 1|no nodes",
       [](Arrays& a) {
         a.offsets = {0, 5, 3, 6};
       }},
      {"treelstm", "structure_offsets begin with 1",
       [](Arrays& a) {
         a.offsets = {1, 3, 6};
       }},
      {"treelstm", "structure_offsets end with 5",
       [](Arrays& a) {
         a.offsets = {0, 3, 5};
       }},
      // children behind the end of their list, lists that fall
      {"treelstm", "node 2|child_offsets rise to 9", [](Arrays& a) { a.child_offsets[3] = 9; }},
      {"treelstm", "node 1|child_offsets rise to 2000000000",
       [](Arrays& a) { a.child_offsets[2] = 2000000000; }},
      {"treelstm", "child_offsets fall", [](Arrays& a) { a.child_offsets = {0, 0, 2, 1, 2, 2, 4}; }},
      // three children where two are joined; a tree where a sequence is wanted
      {"treefc", "node 3 has 3 children",
       [](Arrays& a) {
         a.child_offsets = {0, 0, 0, 0, 3, 3, 3};
         a.children = {0, 1, 2};
         a.offsets = {0, 4, 6};
         a.words = {0, 0, 0, -1, 0, 0};
       }},
      {"seqlstm", "node 2 has 2 children", [](Arrays&) {}},
  };
  for (const Case& c : cases) {
    const Ready ready(c.model);
    ASSERT_TRUE(ready.executor);
    Arrays a = good;
    c.spoil(a);
    expect_refusal(ready, batch_of(a), c.words);
    // The executor is none the worse for it.
    if (std::string(c.model) == "treelstm") {
      EXPECT_EQ(refusal_of(ready.executor, batch_of(good)), "");
    }
  }
}

TEST(Malformed, CyclesOfSeveralNodes) {
  for (const char* model : {"treelstm", "dagrnn"}) {
    const Ready ready(model);
    const Arrays cycle = {
        {0, 4}, {0, 0, 1, 3, 4}, {2, 0, 3, 1}, {0, -1, -1, -1}};  // 1 reads 2 reads 3 reads 1
    expect_refusal(ready, batch_of(cycle), "cycle");
  }
}

TEST(Malformed, TwoParentsInATreeButNotInADag) {
  const Arrays diamond = {{0, 4}, {0, 0, 1, 2, 4}, {0, 0, 1, 2}, {0, 1, 2, 3}};
  expect_refusal(Ready("treegru"), batch_of(diamond), "node 0");
  EXPECT_EQ(refusal_of(Ready("dagrnn").executor, batch_of(diamond)), "");
}

TEST(Malformed, EmptyBatchesAndMissingArrays) {
  const Ready ready("treelstm");
  const auto spoiled = [&](const std::function<void(cortex_recursive_batch&)>& spoil) {
    cortex_recursive_batch b = batch_of(good);
    spoil(b);
    return b;
  };
  expect_refusal(ready, spoiled([](auto& b) { b.structures = 0; }), "structure");
  expect_refusal(ready, spoiled([](auto& b) { b.nodes = 0; }), "node");
  expect_refusal(ready, spoiled([](auto& b) { b.structures = -1; }), "structure");
  expect_refusal(ready, spoiled([](auto& b) { b.nodes = int64_t{1} << 31; }), "node");
  // Nothing behind the arrays is read.
  expect_refusal(ready, spoiled([](auto& b) { b.structures = 7; }), "7 structures of 6 nodes");
  expect_refusal(ready, spoiled([](auto& b) { b.structures = INT64_MAX; }), "structures of 6 nodes");
  expect_refusal(ready, spoiled([](auto& b) { b.structure_offsets = nullptr; }), "structure_offsets");
  expect_refusal(ready, spoiled([](auto& b) { b.child_ids = nullptr; }), "child_ids");
  expect_refusal(ready, spoiled([](auto& b) { b.words = nullptr; }), "words");
}

}  // namespace
}  // namespace cortex::recursive_test
