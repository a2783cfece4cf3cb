#include "graph/problem/recursive.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "graph/problem/rnn.h"

namespace cortex {
namespace {

TEST(RecursiveProblem, ReadsModelsSizesAndShapes) {
  const auto all =
      parse_recursive("treelstm h256 mb10 treefc mb3 h512 n\"fc*4\" dagrnn h8 grid3x4 # comment");
  ASSERT_TRUE(all.ok()) << all.error().message;
  ASSERT_EQ(all->size(), 3u);
  EXPECT_EQ(to_string((*all)[0]), "treelstm h256 mb10 trees");
  EXPECT_EQ((*all)[0].text, "treelstm h256 mb10");
  EXPECT_EQ(to_string((*all)[1]), "treefc h512 mb3 perfect7");
  EXPECT_EQ((*all)[1].name, "fc");
  EXPECT_EQ((*all)[1].count, 4);
  EXPECT_EQ(to_string((*all)[2]), "dagrnn h8 mb1 grid3x4");
}

TEST(RecursiveProblem, CanonicalTextReadsBack) {
  for (const char* model : {"treefc", "treernn", "treegru", "treelstm", "treelstm-nary", "mvrnn", "dagrnn",
                            "seqrnn", "seqlstm", "seqgru"}) {
    for (const char* shape : {"trees", "perfect3", "seq9", "chain5", "star7", "grid2x3", "tree8", "dag12"}) {
      const std::string text = fmt::format("{} h32 mb2 {}", model, shape);
      const auto p = parse_recursive(text);
      ASSERT_TRUE(p.ok()) << p.error().message;
      EXPECT_EQ(to_string(p->front()), text);
      EXPECT_EQ(to_string(parse_recursive(text + " bf16")->front()), text + " bf16");
    }
  }
}

TEST(RecursiveProblem, RefusalsPointAtTheColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no problem in \"\""},
      {"h256", "column 1: a problem begins with its model"},
      {"treelstn h256", "column 1: a problem begins with its model"},
      {"treelstm mb10", "column 1: the hidden size is missing"},
      {"treelstm h256 h512", "column 15: the hidden size is given twice"},
      {"treelstm h256 mb1 mb2", "column 19: mb is given twice"},
      {"treelstm h256 mb0", "column 17: 0 is not between 1 and"},
      {"treelstm h99999", "column 11: 99999 is not between"},
      {"treelstm h25x", "column 13: \"x\" follows the number"},
      {"treelstm h99999999999999999999", "does not fit"},
      {"treelstm h2 wide3", "column 13: is not h<size>"},
      {"treelstm h2 perfect3 seq2", "column 22: a second structure"},
      {"treelstm h2 perfect99", "99 is not between 1 and 20"},
      {"dagrnn h2 grid4", "a grid is written"},
      {"dagrnn h2 grid4xq", "not followed by a number"},
      {"treefc h2 n\"open", "quote is not closed"},
  };
  for (const auto& [text, words] : cases) {
    const auto p = parse_recursive(text);
    ASSERT_FALSE(p.ok()) << text;
    EXPECT_NE(p.error().message.find(words), std::string::npos) << text << ": " << p.error().message;
  }
}

TEST(RecursiveProblem, ShippedListReads) {
  const auto list = read_recursive_batch(CORTEX_WORKLOADS "/recursive.txt");
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_EQ(list->size(), 28u);
  const auto wrong = read_recursive_batch(CORTEX_WORKLOADS "/rnn.txt");
  EXPECT_NE(wrong.error().message.find("rnn.txt:2: recursive \"LSTM\": column 1:"), std::string::npos)
      << wrong.error().message;
}

TEST(RecursiveProblem, BatchesComeFromTheFileOrTheShape) {
  const auto problem = parse_recursive("treelstm h4 mb3")->front();
  EXPECT_NE(make_batches(problem, nullptr, 1, {}).error().message.find("--trees"), std::string::npos);
  const Structures file = random_trees(20, 9, 3, {40, 5});
  const auto batches = make_batches(problem, &file, 2, {1000, 1});
  ASSERT_TRUE(batches.ok()) << batches.error().message;
  EXPECT_EQ(batches->at(0), select(file, {0, 3, 6}));
  EXPECT_EQ(batches->at(1), select(file, {10, 13, 16}));
  const auto more = make_batches(problem, &file, 10, {1000, 1});
  EXPECT_EQ(more->at(7), select(file, {1, 2, 3}));
  const auto pairs = parse_recursive("treefc h4 mb3 trees")->front();
  EXPECT_NE(make_batches(pairs, &file, 1, {}).error().message.find("two children"), std::string::npos);
  const auto words = parse_recursive("seqlstm h4 mb20 trees")->front();
  const auto lists = make_batches(words, &file, 1, {7, 1});
  ASSERT_TRUE(lists.ok()) << lists.error().message;
  EXPECT_EQ(lists->front().structure_count(), 20);
  EXPECT_LT(largest_word(lists->front()), 7);
  EXPECT_LE(largest_child_count(lists->front()), 1);
}

TEST(RecursiveProblem, NodesOfABatchAreKnownBeforeItIsMade) {
  for (const char* shape : {"perfect3", "seq9", "chain5", "star7", "grid2x3", "dag12", "trees"}) {
    for (const char* model : {"treelstm", "seqlstm"}) {
      const auto p = parse_recursive(fmt::format("{} h4 mb40 {}", model, shape))->front();
      const Structures file = random_trees(20, 9, 3, {40, 5});
      const bool runs = p.structure.kind == StructureKind::trees || p.model == RecursiveModel::treelstm;
      if (!runs) continue;
      const auto batches = make_batches(p, &file, 1, {});
      ASSERT_TRUE(batches.ok()) << batches.error().message;
      EXPECT_EQ(batch_nodes(p, &file), batches->front().node_count()) << p.text;
    }
  }
  const auto many = parse_recursive("treelstm h1 mb100000 perfect20")->front();
  const auto refused = make_batches(many, nullptr, 1, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("209715 million nodes, of 537 million at most: lower mb"),
            std::string::npos)
      << refused.error().message;
}

TEST(RecursiveProblem, CountsMatrixWorkOnly) {
  const auto flops = [](const char* text) {
    const auto p = parse_recursive(text)->front();
    return recursive_multiply_adds(p, make_batches(p, nullptr, 1, {})->front());
  };
  EXPECT_EQ(flops("treefc h256"), 127 * 2 * 256 * 256);
  EXPECT_EQ(flops("treelstm h8 mb2 perfect3"), 2 * 7 * 5 * 64);
  EXPECT_EQ(flops("treegru h8 star9"), 3 * 64);
  EXPECT_EQ(flops("treelstm h8 star9"), (3 + 9) * 64);
  EXPECT_EQ(flops("dagrnn h16"), 99 * 256);
  EXPECT_EQ(flops("seqlstm h16 seq5"), 4 * 4 * 256);
  EXPECT_EQ(flops("mvrnn h4 perfect1"), 16 * (2 + 2 + 2 * 4));
}

TEST(RnnProblem, ReadsDescriptors) {
  const auto p = parse_rnn("LSTM l1t30mb10sic256slc256dhc256dic256n\"lstm_h256_b10_t30\"");
  ASSERT_TRUE(p.ok()) << p.error().message;
  const RnnProblem& lstm = p->front();
  EXPECT_EQ(lstm.cell, RnnCell::lstm);
  EXPECT_EQ(lstm.steps, 30);
  EXPECT_EQ(lstm.batch, 10);
  EXPECT_EQ(lstm.hidden, 256);
  EXPECT_EQ(lstm.name, "lstm_h256_b10_t30");
  EXPECT_EQ(rnn_multiply_adds(lstm), 10.0 * 4 * 256 * 256 * (30 + 29));
  const auto short_form = parse_rnn("--alg=VANILLA_GRU --direction=concat l2_t3_sic64");
  ASSERT_TRUE(short_form.ok()) << short_form.error().message;
  EXPECT_EQ(to_string(short_form->front()), "--direction=concat GRU l2t3mb2sic64slc64dhc64dic64");
  EXPECT_EQ(rnn_multiply_adds(short_form->front()), 2.0 * 2 * 3 * 64 * (3 * 64 + 2 * 64 + 3 * 128 + 2 * 64));
  const auto again = parse_rnn(to_string(short_form->front()));
  EXPECT_EQ(to_string(again->front()), to_string(short_form->front()));
}

TEST(RnnProblem, RefusalsPointAtTheColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no problem"},
      {"l1t30mb1sic256", "column 1: its cell is missing"},
      {"LSTM l1t30", "column 6: sic is missing"},
      {"LSTM sic64dhc32", "column 6: sic 64, dhc 32 and dic 32 differ"},
      {"LSTM sic64sic64", "column 11: sic is given twice"},
      {"LSTM sic0", "column 6: sic 0 is not between"},
      {"LSTM sicx", "column 6: sic is not followed by a number"},
      {"LSTM q5", "column 6: \"q5\" is not one of"},
      {"LSTM l2sic64slc32", "column 6: slc 32 and dhc 64 differ"},
      {"LSTM --direction=up sic4", "column 18: the direction is not one of"},
      {"LSTM --prop=BWD_DW sic4", "column 13: only the forward pass"},
      {"LSTM --frob sic4", "column 6: this option is not supported"},
      {"--alg=QRNN sic4", "column 7: the cell is not one of"},
      {"LSTM sic4n\"open", "quote is not closed"},
  };
  for (const auto& [text, words] : cases) {
    const auto p = parse_rnn(text);
    ASSERT_FALSE(p.ok()) << text;
    EXPECT_NE(p.error().message.find(words), std::string::npos) << text << ": " << p.error().message;
  }
}

TEST(RnnProblem, ShippedListReads) {
  const auto list = read_rnn_batch(CORTEX_WORKLOADS "/rnn.txt");
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_EQ(list->size(), 27u);
  EXPECT_EQ(list->back().cell, RnnCell::vanilla_rnn);
  const auto wrong = read_rnn_batch(CORTEX_WORKLOADS "/recursive.txt");
  EXPECT_NE(wrong.error().message.find("recursive.txt:2: rnn \"treefc\": column 1:"), std::string::npos)
      << wrong.error().message;
}

}  // namespace
}  // namespace cortex
