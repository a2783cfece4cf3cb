#include "polyopt/isl/working_set.h"

#include <gtest/gtest.h>

#include "polyopt/analysis/random_nests.h"

namespace cortex {
namespace {

using namespace cortex::testing;

void expect_same(const std::vector<Reuse>& closed, const std::vector<Reuse>& counted,
                 const std::string& where) {
  ASSERT_EQ(closed.size(), counted.size()) << where;
  for (std::size_t r = 0; r < closed.size(); ++r) {
    ASSERT_EQ(closed[r].operand, counted[r].operand) << where;
    ASSERT_EQ(closed[r].loop, counted[r].loop) << where;
    ASSERT_EQ(closed[r].source, counted[r].source) << where;
    for (auto member : {&Reuse::nearest, &Reuse::farthest}) {
      ASSERT_EQ((closed[r].*member).target, (counted[r].*member).target) << where;
      ASSERT_EQ((closed[r].*member).elements, (counted[r].*member).elements) << where;
    }
  }
}

TEST(CountedWorkingSet, AgreesWithTheClosedForm) {
  const unsigned seed = 77;
  Random random(seed);
  int reuses = 0;
  for (int round = 0; round < 40; ++round) {
    const Nest nest = random_nest(random);
    Schedule schedule = random_schedule(nest, random);
    if (schedule.loops.size() > 5) schedule.loops.resize(5);
    const std::string where =
        "seed " + std::to_string(seed) + " round " + std::to_string(round) + ": " + to_string(schedule, nest);
    const auto closed = working_sets(nest, schedule);
    ASSERT_TRUE(closed) << where << ": " << closed.error().message;
    const auto counted = counted_working_sets(nest, schedule);
    ASSERT_TRUE(counted) << where << ": " << counted.error().message;
    expect_same(*closed, *counted, where);
    reuses += static_cast<int>(closed->size());
  }
  EXPECT_GT(reuses, 60);
}

TEST(CountedWorkingSet, TheFormulasOfMatmul) {
  Schedule schedule;
  for (int d : {0, 1, 2}) schedule.loops.push_back({.dim = d, .step = 1});
  const auto counted = counted_working_sets(matmul_nest(64, 64, 64), schedule);
  ASSERT_TRUE(counted) << counted.error().message;
  ASSERT_EQ(counted->size(), 3u);
  EXPECT_EQ((*counted)[0].nearest.total(), 131);
  EXPECT_EQ((*counted)[0].farthest.total(), 4161);
  EXPECT_EQ((*counted)[1].nearest.total(), 4226);
  EXPECT_EQ((*counted)[1].farthest.total(), 12162);
  EXPECT_EQ((*counted)[2].nearest.total(), 5);
  EXPECT_EQ((*counted)[2].farthest.total(), 129);
}

TEST(CountedWorkingSet, NestsWithoutClosedFormAreCounted) {
  Nest nest = matmul_nest(6, 5, 4);
  nest[Operand::a].subscripts = {affine({{0, 1}}), affine({{0, 1}, {2, 1}})};  // a sheared band
  nest[Operand::a].tensor = dense("A", {6, 9});
  Schedule schedule;
  schedule.loops = {{.dim = 1, .step = 2}, {.dim = 0, .step = 3}};
  const auto sets = any_working_sets(nest, schedule);
  ASSERT_TRUE(sets) << sets.error().message;
  EXPECT_NE(sets->counted_because.find("moves two subscripts"), std::string::npos) << sets->counted_because;
  ASSERT_FALSE(sets->reuses.empty());
  EXPECT_EQ(sets->reuses[0].nearest.elements[0], 6 * 4);  // the whole band between n 0 and n 2
  EXPECT_TRUE(any_working_sets(matmul_nest(6, 5, 4), schedule)->counted_because.empty());
}

}  // namespace
}  // namespace cortex
