// Unrolled structures: every node right behind its last child, leaves where they were; the bits of levels.
#include "runtime/recursive/unroll.h"

#include <gtest/gtest.h>

#include "runtime/recursive/testing/executor_case.h"

namespace cortex::recursive::testing {
namespace {

Linear ordered(const Batch& batch, Structure structure) {
  StructureRules rules;
  rules.structure = structure;
  rules.vocabulary = 7;
  rules.selectors = true;
  Linear linear;
  const Status status = linearize(batch.view(), rules, linear);
  EXPECT_TRUE(status.ok());
  return linear;
}

TEST(Unroll, KeepsStructures) {
  std::mt19937 random(31);
  for (const Structure structure : {Structure::tree, Structure::dag, Structure::sequence}) {
    for (const int nodes : {1, 2, 40}) {
      Batch batch;
      for (int s = 0; s < 4; ++s) {
        const int most = s % 2 ? 2 : -1;
        auto children = random_structure(structure, nodes, most, random);
        batch.add(children);
      }
      batch.fill(random, 7, 1);
      const Linear before = ordered(batch, structure);
      Linear after = before;
      unroll(after);
      ASSERT_EQ(after.levels, 1 + after.nodes - after.leaves);
      EXPECT_EQ(after.heights, before.heights);
      const auto name = [](const Linear& l, int32_t position) {
        return position < 0 ? -1 : l.original[static_cast<std::size_t>(position)];
      };
      for (int64_t v = 0; v < after.nodes; ++v) {
        const auto old = static_cast<std::size_t>(before.position[static_cast<std::size_t>(v)]);
        const auto at = static_cast<std::size_t>(after.position[static_cast<std::size_t>(v)]);
        ASSERT_EQ(after.original[at], v);
        ASSERT_EQ(after.word[at], before.word[old]);
        ASSERT_EQ(name(after, after.selected[at]), name(before, before.selected[old]));
        const int32_t count = before.child_begin[old + 1] - before.child_begin[old];
        ASSERT_EQ(after.child_begin[at + 1] - after.child_begin[at], count);
        ASSERT_EQ(static_cast<int64_t>(at) < after.leaves, count == 0);
        for (int32_t i = 0; i < count; ++i) {
          const int32_t child = after.children[static_cast<std::size_t>(after.child_begin[at] + i)];
          ASSERT_LT(child, static_cast<int32_t>(at));
          ASSERT_EQ(name(after, child),
                    name(before, before.children[static_cast<std::size_t>(before.child_begin[old] + i)]));
        }
      }
      for (std::size_t r = 0; r < before.roots.size(); ++r)
        ASSERT_EQ(name(after, after.roots[r]), name(before, before.roots[r]));
      for (int64_t l = 1; l < after.levels; ++l) {
        const auto at = static_cast<std::size_t>(after.leaves + l - 1), level = static_cast<std::size_t>(l);
        ASSERT_EQ(after.level_start[level], static_cast<int32_t>(at));
        const auto v = static_cast<std::size_t>(after.original[at]);
        ASSERT_EQ(after.level_inner[level], after.parents[v] > 0);
        ASSERT_EQ(after.first_child[level], after.children[static_cast<std::size_t>(after.child_begin[at])]);
      }
    }
  }
}

// In a tree the children of a node are followed by their own subtrees alone.
TEST(Unroll, IsPostOrder) {
  std::mt19937 random(32);
  Batch batch;
  batch.add(random_structure(Structure::tree, 60, 2, random));
  batch.fill(random, 7, 1);
  Linear linear = ordered(batch, Structure::tree);
  unroll(linear);
  std::vector<int32_t> waiting;
  std::size_t most = 0;
  for (auto at = static_cast<int32_t>(linear.leaves); at < linear.nodes; ++at) {
    int32_t inner = 0;
    for (int32_t e = linear.child_begin[static_cast<std::size_t>(at)];
         e < linear.child_begin[static_cast<std::size_t>(at) + 1]; ++e)
      inner += linear.children[static_cast<std::size_t>(e)] >= linear.leaves;
    for (; inner > 0; --inner) {
      ASSERT_FALSE(waiting.empty());
      const int32_t* begin = linear.children.data() + linear.child_begin[static_cast<std::size_t>(at)];
      const int32_t* end = linear.children.data() + linear.child_begin[static_cast<std::size_t>(at) + 1];
      EXPECT_NE(std::find(begin, end, waiting.back()), end);
      waiting.pop_back();
    }
    waiting.push_back(at);
    most = std::max(most, waiting.size());
  }
  EXPECT_EQ(waiting.size(), 1u);
  EXPECT_LE(most, 6u);  // the deeper child first: as many as the logarithm of the nodes
}

TEST(Unroll, GivesTheBitsOfLevels) {
  std::mt19937 random(33);
  for (const std::string& name : ready_models()) {
    for (const bool features : {false, true}) {
      if (!ready_model(name, features)) continue;
      SCOPED_TRACE(name);
      ReadyCase ready(name, features, random);
      Batch& batch = ready.batch;
      CompiledModel* const made = ready.made.get();
      const std::vector<float> expected = all_states(*made, batch.view(), 1);
      made->unrolling = Unrolling::always;
      for (const int threads : {1, 2}) EXPECT_EQ(all_states(*made, batch.view(), threads), expected);
      made->sharing = Sharing::structures;
      EXPECT_EQ(all_states(*made, batch.view(), 3), expected);
    }
  }
}

// What the cost model says: not where weights are shared and states small; where states leave the last cache.
TEST(Unroll, PaysWhereStatesLeaveTheLastCache) {
  constexpr double cache = 32 << 20;
  const auto moved = [](const char* name, int64_t h) {
    return compiled(parsed(*ready_model(name, false), h), {}, for_this_machine())->directions[0].moved;
  };
  const UnrolledBatch ten{180, 360, 15}, many{1800, 3600, 20};
  EXPECT_FALSE(unrolling_pays(moved("treelstm", 256), ten, cache));
  EXPECT_FALSE(unrolling_pays(moved("treelstm", 256), {180000, 360000, 30}, cache));
  EXPECT_FALSE(unrolling_pays(moved("mvrnn", 64), ten, cache));
  EXPECT_TRUE(unrolling_pays(moved("mvrnn", 64), many, cache));
  EXPECT_FALSE(unrolling_pays(moved("mvrnn", 128), ten, cache));
  EXPECT_TRUE(unrolling_pays(moved("mvrnn", 128), many, cache));
}

}  // namespace
}  // namespace cortex::recursive::testing
