#include "bench/recursive/reference.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "bench/recursive/rnn.h"

namespace cortex::bench {
namespace {

constexpr const char* problems[] = {
    "treefc h12 mb2 perfect3",  "treernn h12 mb2 tree20",      "treegru h12 mb2 tree20",
    "treelstm h12 mb2 tree20",  "treelstm-nary h8 mb2 tree20", "mvrnn h8 mb2 tree20",
    "dagrnn h12 mb2 grid4x5",   "dagrnn h12 mb2 dag30",        "treelstm h12 mb2 dag30",
    "seqrnn h12 mb3 seq9",      "seqlstm h12 mb3 seq9",        "seqgru h12 mb3 seq9",
    "treelstm h12 mb1 chain40", "treegru h12 mb1 star500",     "treelstm h12 mb1 star500",
};

// What a backend that computes in double and rounds once would give.
std::vector<float> rounded(const RecursiveReference& reference, const RecursiveOperands& operands,
                           int64_t hidden) {
  std::vector<float> result;
  for (const Structures& batch : operands.batches) {
    const std::vector<double> states = reference.run(batch);
    const auto nodes = size_t(batch.node_count()), size = states.size() / nodes, h = size_t(hidden);
    for (const auto& [first, end] : {std::pair{size_t{0}, h}, {h, size}}) {
      for (size_t v = 0; v < nodes; ++v) {
        for (size_t j = first; j < end; ++j) result.push_back(float(states[v * size + j]));
      }
    }
  }
  return result;
}

class OfModel : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Recursive, OfModel, ::testing::ValuesIn(problems),
                         [](const auto& i) { return fmt::format("p{}", i.index); });

TEST_P(OfModel, ItsOwnAnswerPassesAndAnyOtherFails) {
  const RecursiveProblem p = parse_recursive(GetParam())->front();
  Result<RecursiveOperands> operands = make_recursive_operands(p, nullptr, {2, 5});
  ASSERT_TRUE(operands.ok()) << operands.error().message;
  const RecursiveReference reference(p, *operands);
  std::vector<float> result = rounded(reference, *operands, p.hidden);
  ASSERT_EQ(int64_t(result.size()), reference.result_count());
  const Verdict right = reference.check(result.data());
  EXPECT_LT(right.error_ratio, 1) << right.where;
  EXPECT_EQ(right.compared, reference.result_count());
  // Each of a few elements, of h and of the second state, in both batches.
  for (size_t at = 3; at < result.size(); at += result.size() / 7) {
    const float kept = result[at];
    result[at] += 0.02f * std::fmax(1.0f, std::fabs(kept));
    const Verdict wrong = reference.check(result.data());
    EXPECT_GT(wrong.error_ratio, 1) << at;
    EXPECT_NE(wrong.where.find("batch "), std::string::npos);
    result[at] = std::nanf("");
    EXPECT_GT(reference.check(result.data()).error_ratio, 1) << at;
    result[at] = kept;
  }
}

TEST(RecursiveReference, LargeRunsAreCheckedInPart) {
  const RecursiveProblem p = parse_recursive("treelstm h40 mb4 tree40")->front();
  Result<RecursiveOperands> operands = make_recursive_operands(p, nullptr, {2, 5});
  RecursiveReferenceOptions options;
  options.full_check_multiply_adds = 3e5;
  const RecursiveReference reference(p, *operands, options);
  std::vector<float> result = rounded(reference, *operands, p.hidden);
  const Verdict right = reference.check(result.data());
  EXPECT_LT(right.error_ratio, 1) << right.where;
  EXPECT_LT(right.compared, reference.result_count());
  EXPECT_GT(right.compared, operands->nodes());
}

// The sequential cells again, from the other reference: the same gates, written twice.
TEST(RecursiveOperands, LargeTreesAreNotCopiedAHundredTimes) {
  const auto batches = [](const char* text, const Structures& trees, int32_t wanted = 0) {
    const auto operands = make_recursive_operands(parse_recursive(text)->front(), &trees, {wanted, 1});
    return operands.ok() ? int32_t(operands->batches.size()) : -1;
  };
  const Structures small = perfect_trees(1, 7, {}), large = perfect_trees(1, 18, {});  // 255, 524,287 nodes
  EXPECT_EQ(batches("treernn h1 mb1", small), 100);
  EXPECT_EQ(batches("treernn h1 mb10", small), 10);
  EXPECT_EQ(batches("treernn h1 mb500", small), 3);
  EXPECT_EQ(batches("treernn h1 mb1", large), 1);
  EXPECT_EQ(batches("treernn h1 mb2", large), 1);
  EXPECT_EQ(batches("treernn h1 mb1", large, 3), 3);
}

TEST(RecursiveOperands, WhatFindsNoRoomIsRefusedBeforeItIsMade) {
  const Structures large = perfect_trees(1, 18, {});
  Structures last_word;
  last_word.end_structure(last_word.add_node(INT32_MAX, nullptr, 0));
  const std::tuple<const char*, const Structures*, int32_t, const char*> cases[] = {
      {"treelstm h16384 mb200", &large, 0, "the states of 104857400 nodes take about 13744 GB"},
      {"mvrnn h1024 mb1", &large, 0, "the states of 524287 nodes take about 2201 GB"},
      {"treelstm h16384 mb1000 perfect20", nullptr, 0, "lower mb or h, or take smaller structures"},
      {"treernn h1 mb100000 perfect20", nullptr, 0, "batches of 209715100000 nodes, 1 in all, take"},
      {"treernn h1 mb1", &large, 1000000, "batches of 524287 nodes, 1000000 in all, take about 6291 GB"},
      {"treelstm h16384 mb1", &last_word, 0, "parameters for 2147483648 words and 2 children take about"},
      {"treelstm-nary h64 mb1 star1000000", nullptr, 0, "1000000 children take about"},
  };
  for (const auto& [text, trees, batches, words] : cases) {
    const auto operands = make_recursive_operands(parse_recursive(text)->front(), trees, {batches, 1});
    ASSERT_FALSE(operands.ok()) << text;
    EXPECT_NE(operands.error().message.find(words), std::string::npos) << operands.error().message;
    EXPECT_NE(operands.error().message.find("this machine has"), std::string::npos)
        << operands.error().message;
  }
}

TEST(RnnReference, AgreesWithTheRecursiveCells) {
  for (const auto& [cell, model] :
       {std::pair{"LSTM", "seqlstm"}, {"GRU", "seqgru"}, {"VANILLA_RNN", "seqrnn"}}) {
    const RnnProblem p = parse_rnn(fmt::format("{} t7mb3sic6slc5", cell))->front();
    Result<RnnOperands> rnn = make_rnn_operands(p, 3);
    ASSERT_TRUE(rnn.ok());
    // Words are the positions of a table that holds W x.
    const RecursiveProblem q = parse_recursive(fmt::format("{} h6 mb3 seq7", model))->front();
    Result<RecursiveOperands> operands = make_recursive_operands(q, nullptr, {1, 3});
    ASSERT_TRUE(operands.ok());
    const RnnOperands::Layer& layer = rnn->layers[0];
    const int64_t rows = rnn_gates(p.cell) * p.hidden;
    std::copy_n(layer.u.as<float>(), rows * 6, operands->parameters[1].values.as<float>());
    std::copy_n(layer.b.as<float>(), rows, operands->parameters[2].values.as<float>());
    float* table = operands->parameters[0].values.as<float>();
    for (int64_t n = 0; n < 21; ++n) {
      operands->batches[0].word[size_t(n)] = int32_t(n);
      for (int64_t j = 0; j < rows; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < 5; ++k) sum += double(layer.w.as<float>()[j * 5 + k]) * rnn->x()[n * 5 + k];
        table[n * rows + j] = float(sum);
      }
    }
    const RecursiveReference recursive(q, *operands);
    std::vector<float> h = rounded(recursive, *operands, 6);
    h.resize(21 * 6);
    const RnnReference reference(p, *rnn);
    ASSERT_EQ(reference.result_count(), 21 * 6);
    const Verdict right = reference.check(h.data());
    EXPECT_LT(right.error_ratio, 1) << cell << ": " << right.where;
    h[77] += 0.01f;
    EXPECT_GT(reference.check(h.data()).error_ratio, 1) << cell;
  }
}

TEST(RnnReference, DirectionsAndLayersHaveTheirShapes) {
  for (const char* text : {"--direction=concat LSTM l2t4mb2sic6", "--direction=sum GRU l2t4mb2sic6",
                           "--direction=right2left VANILLA_RNN t4mb2sic6slc3", "LBR_GRU t4mb2sic6"}) {
    const RnnProblem p = parse_rnn(text)->front();
    Result<RnnOperands> operands = make_rnn_operands(p, 3);
    ASSERT_TRUE(operands.ok());
    const RnnReference reference(p, *operands);
    EXPECT_EQ(reference.result_count(), 2 * 4 * (p.direction == RnnDirection::concat ? 12 : 6));
    std::vector<float> zeros(size_t(reference.result_count()));
    EXPECT_GT(reference.check(zeros.data()).error_ratio, 1) << text;
  }
}

}  // namespace
}  // namespace cortex::bench
