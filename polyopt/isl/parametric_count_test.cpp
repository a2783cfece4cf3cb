#include "polyopt/isl/parametric_count.h"

#include <gtest/gtest.h>

namespace cortex {
namespace {

ParametricCount make(const std::string& set, const std::vector<ParameterRange>& ranges,
                     InterpolationLimits limits = {}) {
  Result<ParametricCount> count = ParametricCount::make(set, ranges, limits);
  EXPECT_TRUE(count) << (count ? "" : count.error().message);
  return std::move(*count);
}

TEST(ParametricCount, Triangle) {
  const auto n = make("[n] -> { [i, j] : 0 <= i < n and 0 <= j <= i }", {{1, 3000}});
  EXPECT_TRUE(n.interpolated()) << n.how();
  EXPECT_EQ(n.how().rfind("quasi-polynomial of period 1, checked at ", 0), 0u) << n.how();
  for (int64_t v : {1, 2, 17, 2999, 3000}) EXPECT_EQ(*n.at({v}), v * (v + 1) / 2);
  EXPECT_EQ(*n.at({0}), 0) << "outside the range: counted";
}

TEST(ParametricCount, PeriodsAreFound) {
  const auto n = make("[n] -> { [i, j] : 0 <= i and 0 <= j and 2i + 3j <= n }", {{0, 3000}});
  EXPECT_TRUE(n.interpolated()) << n.how();
  EXPECT_NE(n.how().find("period 6"), std::string::npos) << n.how();
  for (int64_t v : {0, 1, 5, 6, 100, 2999}) {
    int64_t expected = 0;
    for (int64_t j = 0; 3 * j <= v; ++j) expected += (v - 3 * j) / 2 + 1;
    EXPECT_EQ(*n.at({v}), expected) << v;
  }
}

TEST(ParametricCount, TwoParameters) {
  // A window of 3 rows and stride 2 over n output rows of m columns.
  const auto n =
      make("[n, m] -> { [y, x] : exists i, k : 0 <= i < n and 0 <= k < 3 and y = 2i + k and 0 <= x < m }",
           {{1, 500}, {1, 500}});
  EXPECT_TRUE(n.interpolated()) << n.how();
  EXPECT_EQ(*n.at({250, 123}), (2 * 250 + 1) * 123);
}

TEST(ParametricCount, ShortRangesAreProved) {
  const auto n = make("[n] -> { [i] : 0 <= 2i < n }", {{0, 100}});
  EXPECT_EQ(n.how(), "quasi-polynomial of period 2, equal to the count at every point of the range");
}

// The shape changes at n = 50: neither half's polynomial holds for both.
TEST(ParametricCount, WhatIsNoQuasiPolynomialIsCountedAndSaysSo) {
  const auto n = make("[n] -> { [i] : 0 <= i < n and i < 50 }", {{1, 1000}});
  EXPECT_FALSE(n.interpolated());
  EXPECT_EQ(n.how().rfind("counted point by point: interpolation: period ", 0), 0u) << n.how();
  EXPECT_EQ(*n.at({49}), 49);
  EXPECT_EQ(*n.at({900}), 50);
}

TEST(ParametricCount, RefusesWhatItCannotKnow) {
  EXPECT_FALSE(ParametricCount::make("[n] -> { [i] : 0 <= i", {{1, 9}}));
  EXPECT_FALSE(ParametricCount::make("[n] -> { [i] : 0 <= i < n }", {{1, 9}, {1, 9}}));
  const auto unbounded = make("[n] -> { [i] : i >= n }", {{1, 90}});
  EXPECT_FALSE(unbounded.interpolated());
  EXPECT_FALSE(unbounded.at({5}));
  const auto huge = make("[n] -> { [i, j, k] : 0 <= i < n and 0 <= j < i and 0 <= k < j }", {{1, 5'000'000}});
  EXPECT_FALSE(huge.interpolated()) << "the far end cannot be checked: " << huge.how();
  EXPECT_FALSE(huge.at({5'000'000}));
  EXPECT_EQ(*huge.at({100}), 100 * 99 * 98 / 6);
}

TEST(QuasiPolynomial, OverflowIsRefused) {
  const ParametricFunction square = [](const Parameters& at) -> Result<int64_t> {
    int64_t product = 0;
    if (__builtin_mul_overflow(at[0], at[0], &product)) return overflow_error("square");
    return product;
  };
  EXPECT_TRUE(interpolate(square, {{0, 1'000'000'000}}));
  EXPECT_FALSE(interpolate(square, {{0, 10'000'000'000}}));
}

}  // namespace
}  // namespace cortex
