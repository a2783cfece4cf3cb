#include "bench/measure/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "bench/measure/sampler.h"
#include "bench/measure/significance.h"

namespace cortex::bench {
namespace {

TEST(Statistics, MedianOfOddAndEven) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median({7}), 7);
}

TEST(Statistics, GeometricMeanOfRatios) {
  EXPECT_NEAR(geometric_mean({2, 0.5}), 1, 1e-15);
  EXPECT_NEAR(geometric_mean({1, 10, 100}), 10, 1e-12);
}

// Textbook values: two samples of 3 that do not overlap have p = 2 / C(6,3); the normal approximation would
// say something else.
TEST(Significance, ExactSmallSamples) {
  EXPECT_NEAR(mann_whitney_p({1, 2, 3}, {4, 5, 6}), 0.1, 1e-12);
  EXPECT_NEAR(mann_whitney_p({1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}), 2.0 / 252, 1e-12);
  // U = 8 of 5 x 5: P(U <= 8) = 0.2103 (Hollander and Wolfe, table A.6).
  EXPECT_NEAR(mann_whitney_p({1, 3, 5, 7, 9.5}, {2, 4, 6, 8.5, 10}), 2 * 0.3452, 0.001);
}

TEST(Significance, EqualSamplesDoNotDiffer) {
  const std::vector<double> a = {5, 5, 5, 5}, b = {5, 5, 5, 5};
  EXPECT_EQ(mann_whitney_p(a, b), 1);
  EXPECT_EQ(welch_p(a, b), 1);
  EXPECT_EQ(mann_whitney_p({}, b), 1);
}

TEST(Significance, LevelHoldsUnderNoDifferenceAndPowerUnderFivePercent) {
  std::mt19937 generator(7);
  std::lognormal_distribution<double> noise(0, 0.02);
  int false_alarms = 0, found = 0;
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<double> a, b, slower;
    for (int i = 0; i < 40; ++i) {
      a.push_back(100 * noise(generator));
      b.push_back(100 * noise(generator));
      slower.push_back(105 * noise(generator));
    }
    false_alarms += mann_whitney_p(a, b) < 0.05;
    found += mann_whitney_p(a, slower) < 0.01 && welch_p(a, slower) < 0.01;
  }
  EXPECT_GT(false_alarms, 4);  // about 20 of 400
  EXPECT_LT(false_alarms, 45);
  EXPECT_EQ(found, 400);
}

TEST(Sampler, TakesTurnsAndRotates) {
  std::vector<int> order;
  std::vector<Contestant> all(3);
  for (int i = 0; i < 3; ++i) {
    all[static_cast<std::size_t>(i)].execute = [&order, i] { order.push_back(i); };
  }
  SamplingOptions options;
  options.repeats = 4;
  options.sample_ns = 1;  // one execution a sample
  const std::vector<Samples> samples = sample_interleaved(all, options);
  for (const Samples& s : samples) EXPECT_EQ(s.ns.size(), 4u);
  // Each turn is one untimed and one timed execution of the same contestant.
  ASSERT_GE(order.size(), 24u);
  const std::vector<int> turns(order.end() - 24, order.end());
  for (std::size_t i = 0; i < 24; i += 2) {
    EXPECT_EQ(turns[i], turns[i + 1]);
    EXPECT_EQ(turns[i], static_cast<int>((i / 2 % 3 + i / 6) % 3));
  }
}

}  // namespace
}  // namespace cortex::bench
