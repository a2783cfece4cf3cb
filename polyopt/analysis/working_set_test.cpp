#include "polyopt/analysis/working_set.h"

#include <gtest/gtest.h>

#include <set>

#include "polyopt/analysis/random_nests.h"

namespace cortex {
namespace {

using namespace cortex::testing;
using polyhedral::CallIndex;

Schedule untiled(std::vector<int> order) {
  Schedule schedule;
  for (int d : order) schedule.loops.push_back({.dim = d, .step = 1});
  return schedule;
}

const Reuse* find(const std::vector<Reuse>& reuses, Operand operand, int loop) {
  for (const Reuse& r : reuses) {
    if (r.operand == operand && r.loop == loop) return &r;
  }
  return nullptr;
}

// The published formulas of C[i,j] += A[i,k] * B[k,j] with loops i < M, j < N, k < K.
TEST(WorkingSet, MatmulFormulas) {
  const int64_t sizes[][3] = {{64, 64, 64},    {7, 5, 3},        {2, 2, 2},
                              {100, 200, 300}, {1024, 16, 4096}, {3, 1000, 2}};
  for (const auto& [m, n, k] : sizes) {
    const auto reuses = working_sets(matmul_nest(m, n, k), untiled({0, 1, 2}));
    ASSERT_TRUE(reuses) << reuses.error().message;
    ASSERT_EQ(reuses->size(), 3u);
    const Reuse *a = find(*reuses, Operand::a, 1), *b = find(*reuses, Operand::b, 0),
                *c = find(*reuses, Operand::c, 2);
    ASSERT_TRUE(a && b && c);
    EXPECT_EQ(c->nearest.total(), 5);
    EXPECT_EQ(c->farthest.total(), 2 * k + 1);
    EXPECT_EQ(a->nearest.total(), 2 * k + 3);
    EXPECT_EQ(a->farthest.total(), n * k + n + 1);
    EXPECT_EQ(b->nearest.total(), n * k + n + k + 2);
    EXPECT_EQ(b->farthest.total(), (m - 1) * (n + k) + n * k + 2);
  }
  const auto at64 = working_sets(matmul_nest(64, 64, 64), untiled({0, 1, 2}));
  ASSERT_TRUE(at64);
  EXPECT_EQ(find(*at64, Operand::c, 2)->farthest.total(), 129);
  EXPECT_EQ(find(*at64, Operand::a, 1)->nearest.total(), 131);
  EXPECT_EQ(find(*at64, Operand::a, 1)->farthest.total(), 4161);
  EXPECT_EQ(find(*at64, Operand::b, 0)->nearest.total(), 4226);
  EXPECT_EQ(find(*at64, Operand::b, 0)->farthest.total(), 12162);
}

// Tiles that divide: i/mt j/nt k/kt around a kernel of mt x nt x kt.
TEST(WorkingSet, TiledMatmulByHand) {
  const int64_t mt = 6, nt = 16, kt = 8, m = 4 * mt, n = 3 * nt, k = 5 * kt;
  Schedule schedule = untiled({0, 1, 2});
  schedule.loops[0].step = mt;
  schedule.loops[1].step = nt;
  schedule.loops[2].step = kt;
  const Nest nest = matmul_nest(m, n, k);
  const auto reuses = working_sets(nest, schedule);
  ASSERT_TRUE(reuses) << reuses.error().message;
  const Reuse* c = find(*reuses, Operand::c, 2);
  ASSERT_TRUE(c);
  EXPECT_EQ(c->nearest.elements, (std::array<int64_t, 3>{2 * mt * kt, 2 * kt * nt, mt * nt}));
  EXPECT_EQ(c->farthest.elements, (std::array<int64_t, 3>{mt * k, k * nt, mt * nt}));
  const Reuse* b = find(*reuses, Operand::b, 0);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->nearest.elements, (std::array<int64_t, 3>{mt * k + mt * kt, k * n, mt * n + mt * nt}));
  EXPECT_EQ(b->farthest.target, (CallIndex{3, 0, 0}));
  EXPECT_EQ(b->farthest.bytes(nest), 4 * b->farthest.total());
}

TEST(WorkingSet, ASlidingWindowReusesRows) {
  // oh and kh by 1, the rest inside the kernel: row r serves (oh, kh) with oh + kh = r.
  const Nest nest = conv_nest({.ic = 8, .oc = 4, .oh = 10, .ow = 10, .kh = 3, .kw = 3});
  const auto reuses = working_sets(nest, untiled({1, 4}));
  ASSERT_TRUE(reuses) << reuses.error().message;
  const Reuse* a = find(*reuses, Operand::a, 0);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->source, (CallIndex{0, 1}));
  EXPECT_EQ(a->nearest.target, (CallIndex{1, 0}));
  EXPECT_EQ(a->nearest.elements[0], 2 * 12 * 8);  // rows 1 and 2
  EXPECT_EQ(a->nearest.elements[1], 3 * 3 * 8 * 4);
  EXPECT_EQ(a->nearest.elements[2], 2 * 10 * 4);
  EXPECT_EQ(find(*reuses, Operand::a, 1), nullptr) << "kh alone reads another row each time";
}

TEST(WorkingSet, WindowsThatDoNotOverlapAreNotReused) {
  const Nest nest = conv_nest({.oh = 6, .ow = 6, .kh = 2, .kw = 2, .stride = 3});
  const auto reuses = working_sets(nest, untiled({1, 2, 4, 5}));
  ASSERT_TRUE(reuses);
  for (const Reuse& r : *reuses) EXPECT_NE(r.operand, Operand::a);
}

// The definition, call by call and element by element.
std::vector<Reuse> by_walking(const Nest& nest, const Schedule& schedule) {
  using Elements = std::set<std::vector<int64_t>>;
  std::vector<CallIndex> calls;
  std::vector<std::array<Elements, operand_count>> touched;
  walk(nest, schedule, [&](const KernelCall& call) {
    calls.push_back(call.tile);
    touched.emplace_back();
    for (int o = 0; o < operand_count; ++o) {
      visit_elements(nest, static_cast<Operand>(o), call.ranges,
                     [&](const std::vector<int64_t>& element) { touched.back()[o].insert(element); });
    }
  });
  const auto shares = [&](int o, std::size_t i, std::size_t j) {
    for (const auto& element : touched[i][o]) {
      if (touched[j][o].contains(element)) return true;
    }
    return false;
  };
  const auto between = [&](std::size_t i, std::size_t j) {
    WorkingSet set{.target = calls[j], .elements = {}};
    for (int o = 0; o < operand_count; ++o) {
      Elements all;
      for (std::size_t c = i; c <= j; ++c) all.insert(touched[c][o].begin(), touched[c][o].end());
      set.elements[o] = std::ssize(all);
    }
    return set;
  };
  std::vector<Reuse> reuses;
  for (int o = 0; o < operand_count; ++o) {
    for (int loop = 0; loop < std::ssize(schedule.loops); ++loop) {
      bool found = false;
      for (std::size_t i = 0; i < calls.size() && !found; ++i) {
        std::vector<std::size_t> targets;
        for (std::size_t j = i + 1; j < calls.size(); ++j) {
          const bool agree = std::equal(calls[i].begin(), calls[i].begin() + loop, calls[j].begin());
          if (agree && calls[j][loop] > calls[i][loop] && shares(o, i, j)) targets.push_back(j);
        }
        if (targets.empty()) continue;
        found = true;
        reuses.push_back({static_cast<Operand>(o), loop, calls[i], between(i, targets.front()),
                          between(i, targets.back())});
      }
    }
  }
  return reuses;
}

TEST(WorkingSet, RandomSchedulesAgainstWalking) {
  const unsigned seed = 2024;
  Random random(seed);
  int reuses = 0;
  for (int round = 0; round < 300; ++round) {
    const Nest nest = random_nest(random);
    const Schedule schedule = random_schedule(nest, random);
    int64_t calls = 0;
    walk(nest, schedule, [&](const KernelCall&) { ++calls; });
    if (calls > 300) continue;
    const auto closed = working_sets(nest, schedule);
    ASSERT_TRUE(closed) << closed.error().message;
    const auto expected = by_walking(nest, schedule);
    const std::string where =
        "seed " + std::to_string(seed) + " round " + std::to_string(round) + ": " + to_string(schedule, nest);
    ASSERT_EQ(closed->size(), expected.size()) << where;
    for (std::size_t r = 0; r < expected.size(); ++r) {
      ASSERT_EQ((*closed)[r].operand, expected[r].operand) << where;
      ASSERT_EQ((*closed)[r].loop, expected[r].loop) << where;
      ASSERT_EQ((*closed)[r].source, expected[r].source) << where;
      for (auto member : {&Reuse::nearest, &Reuse::farthest}) {
        ASSERT_EQ(((*closed)[r].*member).target, (expected[r].*member).target) << where;
        ASSERT_EQ(((*closed)[r].*member).elements, (expected[r].*member).elements) << where;
      }
      ++reuses;
    }
  }
  EXPECT_GT(reuses, 300);
}

}  // namespace
}  // namespace cortex
