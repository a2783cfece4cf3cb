#include "graph/structure/structure.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "graph/structure/bracketed.h"
#include "graph/structure/synthetic.h"

namespace cortex {
namespace {

TEST(Bracketed, ReadsATree) {
  const Result<Structures> t = parse_trees("# comment\n((3 17) (5 9 2))\r\n\n 7\n( 4 )", "x");
  ASSERT_TRUE(t.ok()) << t.error().message;
  EXPECT_EQ(t->structure_count(), 3);
  EXPECT_EQ(t->word, (std::vector<int32_t>{3, 17, -1, 5, 9, 2, -1, -1, 7, 4, -1}));
  EXPECT_EQ(t->root, (std::vector<int32_t>{7, 8, 10}));
  EXPECT_EQ(t->first_node, (std::vector<int32_t>{0, 8, 9, 11}));
  EXPECT_EQ(std::vector<int32_t>(t->children_of(7), t->children_of(7) + 2), (std::vector<int32_t>{2, 6}));
  EXPECT_EQ(t->child_count(10), 1);
  EXPECT_EQ(largest_child_count(*t), 3);
  EXPECT_EQ(largest_word(*t), 17);
}

// As editors on Windows leave them.
TEST(Bracketed, ByteOrderMarksAndCarriageReturnsAreNoPartOfTrees) {
  const Result<Structures> t = parse_trees("\xef\xbb\xbf(1 2)\r\n\r\n(3 4)\r\n", "f");
  ASSERT_TRUE(t.ok()) << t.error().message;
  EXPECT_EQ(t->structure_count(), 2);
}

TEST(Bracketed, RefusalsPointAtTheColumn) {
  const std::pair<const char*, const char*> cases[] = {
      {"((1 2)", "f:1:1: this '(' is never closed"},
      {"(1 (2 3)", "f:1:1: this '('"},
      {"(1 2))", "f:1:6: ')' after the end of the tree"},
      {")", "f:1:1: ')' closes nothing"},
      {"(1 ())", "f:1:4: a node without children"},
      {"()", "f:1:1: a node without children"},
      {"(1 2) (3 4)", "f:1:7: '(' after the end"},
      {"1 2", "f:1:3: '2' after the end"},
      {"(1 x)", "f:1:4: 'x' where"},
      {"(1 2x)", "f:1:5: 'x' inside a word id"},
      {"(1 -2)", "f:1:4: word id -2"},
      {"(1 99999999999)", "f:1:4: the word id does not fit"},
      {"(1 \x01)", "f:1:4: byte 0x01"},
      {"(1 2)\n(1 2) 3", "f:2:7: '3' after the end"},
      {"\n# only a comment\n", "f: no tree"},
      {"", "f: no tree"},
  };
  for (const auto& [text, message] : cases) {
    const Result<Structures> t = parse_trees(text, "f");
    ASSERT_FALSE(t.ok()) << text;
    EXPECT_EQ(t.error().message.rfind(message, 0), 0u) << text << ": " << t.error().message;
    EXPECT_EQ(t.error().message.find('\n'), std::string::npos);
  }
  EXPECT_NE(read_trees("/nonexistent/trees.txt").error().message.find("no such file"), std::string::npos);
  EXPECT_NE(read_trees("/").error().message.find("directory"), std::string::npos);
}

TEST(Bracketed, DeepAndWideLinesNeedNoStack) {
  constexpr int32_t depth = 1'000'000;
  const Result<Structures> deep =
      parse_trees(std::string(depth, '(') + "5" + std::string(depth, ')'), "deep");
  ASSERT_TRUE(deep.ok()) << deep.error().message;
  EXPECT_EQ(deep->node_count(), depth + 1);
  const Result<std::vector<int32_t>> h = heights(*deep);
  ASSERT_TRUE(h.ok());
  EXPECT_EQ((*h)[size_t(deep->root[0])], depth);
}

TEST(Bracketed, ShippedTreesAreAsDescribed) {
  for (const bool binary : {true, false}) {
    const Result<Structures> t =
        read_trees(fmt::format("{}/trees/sentences-{}.txt", CORTEX_WORKLOADS, binary ? "binary" : "nary"));
    ASSERT_TRUE(t.ok()) << t.error().message;
    EXPECT_EQ(t->structure_count(), 2000);
    EXPECT_EQ(largest_child_count(*t), binary ? 2 : 15);
    EXPECT_EQ(std::count(t->word.begin(), t->word.end(), Structures::no_word), binary ? 34549 : 20231);
    EXPECT_TRUE(heights(*t).ok());
  }
}

TEST(Synthetic, ShapesHaveTheirNodes) {
  const auto tall = [](const Structures& t) {
    const auto h = heights(t);
    return h.ok() ? *std::max_element(h->begin(), h->end()) : -1;
  };
  const SyntheticWords words{50, 7};
  const Structures perfect = perfect_trees(3, 7, words);
  EXPECT_EQ(perfect.node_count(), 3 * 255);
  EXPECT_EQ(tall(perfect), 7);
  const Structures list = sequences(2, 100, words);
  EXPECT_EQ(list.node_count(), 200);
  EXPECT_EQ(tall(list), 99);
  EXPECT_EQ(std::count(list.word.begin(), list.word.end(), Structures::no_word), 0);
  const Structures chain = chains(1, 10, words);
  EXPECT_EQ(std::count(chain.word.begin(), chain.word.end(), Structures::no_word), 9);
  const Structures star = stars(2, 10000, words);
  EXPECT_EQ(star.node_count(), 20002);
  EXPECT_EQ(tall(star), 1);
  const Structures grid = grids(1, 10, 10, words);
  EXPECT_EQ(grid.node_count(), 100);
  EXPECT_EQ(tall(grid), 18);
  EXPECT_EQ(grid.children.size(), 180u);
  const Structures random = random_trees(20, 60, 4, words);
  for (int32_t v = 0; v < random.node_count(); ++v) EXPECT_LE(random.child_count(v), 4);
  // A tree: every node but the roots is read once.
  EXPECT_EQ(random.children.size(), size_t(random.node_count() - random.structure_count()));
  EXPECT_GE(tall(random), 2);
  EXPECT_GE(tall(random_dags(20, 60, 4, words)), 2);
  EXPECT_EQ(random_trees(20, 60, 4, words), random);
  EXPECT_EQ(random_trees(1, 5, 1, words).child_count(4), 1);
}

TEST(Structure, SelectAndShuffleKeepTheShape) {
  const Structures all = random_trees(30, 40, 5, {100, 3});
  const Structures some = select(all, {4, 4, 29});
  EXPECT_EQ(some.structure_count(), 3);
  EXPECT_EQ(select(some, {0}), select(some, {1}));
  EXPECT_EQ(select(all, {29}), select(some, {2}));
  const Structures mixed = shuffled(all, 11);
  EXPECT_NE(mixed, all);
  auto before = heights(all), after = heights(mixed);
  ASSERT_TRUE(before.ok() && after.ok());
  for (int32_t s = 0; s < 30; ++s) {
    EXPECT_EQ((*before)[size_t(all.root[size_t(s)])], (*after)[size_t(mixed.root[size_t(s)])]);
  }
}

TEST(Structure, CyclesAndForeignChildrenAreRefused) {
  Structures t;
  const int32_t one = 1, zero = 0, five = 5;
  t.add_node(3, &one, 1);
  t.add_node(3, &zero, 1);
  t.end_structure(1);
  EXPECT_NE(heights(t).error().message.find("cycle"), std::string::npos);
  Structures u;
  u.add_node(3, &five, 1);
  u.end_structure(0);
  EXPECT_NE(heights(u).error().message.find("node 5"), std::string::npos);
}

}  // namespace
}  // namespace cortex
