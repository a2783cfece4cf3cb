#include "polyopt/analysis/image.h"

#include <gtest/gtest.h>

#include <set>

#include "polyopt/analysis/testing.h"

namespace cortex::polyhedral {
namespace {

using namespace cortex::testing;

std::set<int64_t> values(const Runs& runs) {
  std::set<int64_t> all;
  for (const polyhedral::Run& run : runs) {
    for (int64_t x = run.lo; x <= run.hi; x += run.stride) {
      EXPECT_TRUE(all.insert(x).second) << x << " twice";
    }
  }
  return all;
}

TEST(Runs, SumsClipsAndMeetingsAgainstListing) {
  const unsigned seed = 31;
  Random random(seed);
  for (int round = 0; round < 2000; ++round) {
    const auto random_sum = [&](std::set<int64_t>& expected) {
      const int64_t lo = uniform(random, -5, 5);
      Runs runs{{lo, lo, 1}};
      expected = {lo};
      for (int64_t terms = uniform(random, 0, 3); terms > 0; --terms) {
        const int64_t coeff = uniform(random, 1, 9), len = uniform(random, 1, 6);
        runs = *sum(runs, coeff, len);
        std::set<int64_t> next;
        for (int64_t x : expected) {
          for (int64_t i = 0; i < len; ++i) next.insert(x + coeff * i);
        }
        expected = std::move(next);
      }
      return runs;
    };
    std::set<int64_t> a, b;
    const Runs x = random_sum(a), y = random_sum(b);
    ASSERT_EQ(values(x), a) << "seed " << seed << " round " << round;
    ASSERT_EQ(count(x), std::ssize(a));
    const int64_t lo = uniform(random, -5, 20), end = lo + uniform(random, 0, 20);
    std::set<int64_t> inside;
    for (int64_t v : a) {
      if (lo <= v && v < end) inside.insert(v);
    }
    ASSERT_EQ(values(clip(x, lo, end)), inside) << "seed " << seed << " round " << round;
    const bool meet = std::any_of(a.begin(), a.end(), [&](int64_t v) { return b.contains(v); });
    ASSERT_EQ(intersect(x, y), meet) << "seed " << seed << " round " << round;
  }
}

TEST(Image, UnionsOfProductsWithGapsAgainstListing) {
  const unsigned seed = 32;
  Random random(seed);
  for (int round = 0; round < 500; ++round) {
    std::vector<Image> images(uniform(random, 1, 7));
    std::set<std::pair<int64_t, int64_t>> expected;
    for (Image& image : images) {
      for (int axis = 0; axis < 2; ++axis) {
        const int64_t lo = uniform(random, 0, 12), stride = uniform(random, 1, 4);
        image.push_back({{lo, lo + stride * uniform(random, 0, 6), stride}});
      }
      for (int64_t x : values(image[0])) {
        for (int64_t y : values(image[1])) expected.insert({x, y});
      }
    }
    const Result<int64_t> n = count_union(images);
    ASSERT_TRUE(n) << n.error().message;
    ASSERT_EQ(*n, std::ssize(expected)) << "seed " << seed << " round " << round;
  }
}

TEST(Image, StridedWindowsLeaveGaps) {
  // Rows 0, 3, 6, 9 and their neighbour below: stride 3 beyond a window of 2.
  const Nest nest = conv_nest({.oh = 4, .ow = 1, .kh = 2, .stride = 3});
  const auto rows = axis_image(nest, Operand::a, 1, ranges_of(nest));
  ASSERT_TRUE(rows);
  EXPECT_EQ(values(*rows), (std::set<int64_t>{0, 1, 3, 4, 6, 7, 9, 10}));
}

TEST(Image, MoreThan64BitsIsRefused) {
  const polyhedral::Run huge{0, int64_t{1} << 40, 1};
  const Result<int64_t> n = count_union({{{huge}, {huge}}});
  ASSERT_FALSE(n);
  EXPECT_EQ(n.error().code, ErrorCode::overflow);
}

TEST(Image, OneDimInTwoSubscriptsHasNoProduct) {
  Nest nest = matmul_nest(4, 5, 6);
  nest[Operand::a].subscripts = {affine({{0, 1}}), affine({{0, 1}, {2, 1}})};
  nest[Operand::a].tensor = dense("A", {4, 9});
  EXPECT_FALSE(separable(nest, Operand::a));
  EXPECT_EQ(image(nest, Operand::a, ranges_of(nest)).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace cortex::polyhedral
