// Pruning, combining and detection on random filters; the budget against trying everything.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "graph/compress/budget.h"
#include "graph/compress/combine.h"
#include "graph/compress/detect.h"
#include "graph/compress/filters_test.h"
#include "graph/compress/prune.h"

namespace cortex {
namespace {

FilterMatrix pruned(const FilterMatrix& w, const char* text, double keep = 1) {
  Result<FilterMatrix> p = prune(w, format(text), keep);
  EXPECT_TRUE(p.ok()) << text;
  return std::move(*p);
}

bool finds(const FilterMatrix& w, const char* text) {
  const std::vector<Finding> found = detect_formats(w);
  return std::any_of(found.begin(), found.end(),
                     [&](const Finding& f) { return to_string(f.format) == text; });
}

TEST(WeightFormat, PrintsWhatItParses) {
  for (const char* text : {"dense", "nm2of4", "nm1of8x4", "cc8", "bs4x1", "unstructured"})
    EXPECT_EQ(to_string(format(text)), text);
}

TEST(WeightFormat, RefusesWhatIsNoFormatByName) {
  for (const char* text : {"", "nm", "nm4of2", "nm2of", "nm0of4", "nm2of4x0", "nm2of4x99", "cc", "cc0",
                           "cc65", "bs4", "bs0x4", "nm2of4 ", "dense1", "nm99999999999of4"}) {
    const Result<WeightFormat> f = parse_weight_format(text);
    ASSERT_FALSE(f.ok()) << text;
    EXPECT_NE(f.error().message.find("weight format '" + std::string(text) + "'"), std::string::npos);
  }
}

// Every T x M group holds at most N channels, and no swap within a group would keep more.
TEST(Prune, KeepsTheLargestChannelsOfEveryGroup) {
  for (const char* text : {"nm2of4", "nm2of4x2", "nm1of8x4", "nm3of7x3"}) {
    const FilterMatrix w = gaussian(10, 9, 21, 1);
    const FilterMatrix p = pruned(w, text);
    const WeightFormat f = format(text);
    for (int64_t row = 0; row < w.rows; row += f.t) {
      for (int64_t tap = 0; tap < w.columns; tap += w.channels) {
        for (int64_t c = 0; c < w.channels; c += f.m) {
          const int64_t width = std::min<int64_t>(f.m, w.channels - c);
          double least_kept = 1e30, most_dropped = 0;
          int kept = 0;
          for (int64_t i = 0; i < width; ++i) {
            double sum = 0, left = 0;
            for (int64_t r = row; r < std::min<int64_t>(row + f.t, w.rows); ++r) {
              sum += std::abs(static_cast<double>(w.at(r, tap + c + i)));
              left += std::abs(static_cast<double>(p.at(r, tap + c + i)));
            }
            if (left > 0) {
              EXPECT_EQ(left, sum) << "a kept channel is whole";
              least_kept = std::min(least_kept, sum);
              ++kept;
            } else {
              most_dropped = std::max(most_dropped, sum);
            }
          }
          EXPECT_EQ(kept, (width * f.n + f.m - 1) / f.m);
          EXPECT_GE(least_kept, most_dropped);
        }
      }
    }
  }
}

TEST(Prune, KeepsTheShareAskedFor) {
  const FilterMatrix w = gaussian(64, 9, 32, 2);
  EXPECT_NEAR(sparsity(pruned(w, "unstructured", 0.1)), 0.9, 1e-3);
  EXPECT_NEAR(sparsity(pruned(w, "bs4x1", 0.25)), 0.75, 1e-3);
  EXPECT_NEAR(sparsity(pruned(w, "bs1x4", 0.25)), 0.75, 1e-3);
  EXPECT_GT(magnitude(pruned(w, "unstructured", 0.25)), magnitude(pruned(w, "bs4x1", 0.25)));
  EXPECT_EQ(pruned(w, "dense").values, w.values);
  EXPECT_FALSE(prune(w, format("unstructured"), 0).ok());
  EXPECT_FALSE(prune(w, format("cc8"), 1).ok());
}

void expect_partition(const ColumnGroups& groups, int64_t columns, int alpha) {
  std::vector<int> seen(static_cast<std::size_t>(columns));
  for (const auto& g : groups) {
    EXPECT_LE(g.size(), static_cast<std::size_t>(alpha));
    for (int32_t c : g) ++seen[static_cast<std::size_t>(c)];
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), columns) << "each column is in one group";
}

int64_t conflicts(const FilterMatrix& w, const std::vector<int32_t>& group) {
  int64_t n = 0;
  for (int64_t r = 0; r < w.rows; ++r) {
    const auto used = std::count_if(group.begin(), group.end(), [&](int32_t c) { return w.at(r, c) != 0; });
    n += std::max<int64_t>(0, used - 1);
  }
  return n;
}

TEST(Combine, GroupsKeepTheBudgetOfConflicts) {
  const FilterMatrix w = pruned(gaussian(64, 9, 16, 3), "unstructured", 0.125);
  for (const double gamma : {0.0, 0.25, 0.5}) {
    const Result<Combined> c = combine_columns(w, {.alpha = 8, .gamma = gamma, .steps = 20000});
    ASSERT_TRUE(c.ok());
    expect_partition(c->groups, w.columns, 8);
    for (const auto& g : c->groups) {
      EXPECT_LE(static_cast<double>(conflicts(w, g)), gamma * static_cast<double>(w.rows));
      EXPECT_EQ(conflicts(c->weights, g), 0) << "all are pruned";
    }
    if (gamma == 0) {
      EXPECT_EQ(c->kept, 1);
    }
    EXPECT_GT(c->kept, 0.8);
  }
}

TEST(Combine, MoreConflictsMakeFewerGroups) {
  const FilterMatrix w = pruned(gaussian(64, 9, 16, 3), "unstructured", 0.125);
  const auto groups = [&](double gamma) { return group_greedily(w, {.alpha = 8, .gamma = gamma})->size(); };
  EXPECT_GT(groups(0), 1.5 * static_cast<double>(groups(0.5)));
}

// 90 % of a 128 x 576 Gaussian filter pruned, groups of 8: annealing keeps 89 % of what is left, chance 74 %.
TEST(Combine, AnnealingKeepsMostOfTheMagnitude) {
  const FilterMatrix w = pruned(gaussian(128, 9, 64, 4), "unstructured", 0.1);
  const CombineOptions options{.alpha = 8, .gamma = 8};
  const double chance = magnitude(prune_conflicts(w, group_in_order(w, 8))) / magnitude(w);
  EXPECT_NEAR(chance, 0.74, 0.02);
  const Result<Combined> c = combine_columns(w, options);
  ASSERT_TRUE(c.ok());
  expect_partition(c->groups, w.columns, 8);
  EXPECT_EQ(c->groups.size(), 72u);
  EXPECT_GE(c->kept, 0.89);
}

TEST(Combine, RefusesImpossibleOptions) {
  const FilterMatrix w = gaussian(4, 1, 4, 1);
  EXPECT_FALSE(combine_columns(w, {.alpha = 0}).ok());
  EXPECT_FALSE(combine_columns(w, {.gamma = -1}).ok());
  EXPECT_FALSE(combine_columns(w, {.gamma = NAN}).ok());
}

TEST(Detect, RecognisesWhatPruningMade) {
  const FilterMatrix w = gaussian(64, 9, 64, 5);
  EXPECT_TRUE(finds(pruned(w, "nm2of4"), "nm2of4"));
  EXPECT_TRUE(finds(pruned(w, "nm2of4x2"), "nm2of4x2"));
  EXPECT_TRUE(finds(pruned(w, "nm1of8x4"), "nm1of8x4"));
  EXPECT_TRUE(finds(pruned(w, "bs4x1", 0.2), "bs4x1"));
  EXPECT_TRUE(finds(pruned(w, "bs1x4", 0.2), "bs1x4"));
  EXPECT_TRUE(finds(pruned(w, "unstructured", 0.2), "unstructured"));
  EXPECT_FALSE(finds(pruned(w, "nm2of4"), "nm2of4x2"));
  const Result<Combined> c =
      combine_columns(pruned(w, "unstructured", 0.1), {.alpha = 8, .gamma = 0.5, .steps = 1000});
  ASSERT_TRUE(c.ok());
  EXPECT_TRUE(finds(c->weights, "cc8"));
  EXPECT_EQ(detect_formats(w).size(), 1u) << "full weights are dense and nothing else";
}

TEST(Budget, IsAsGoodAsTryingEverything) {
  std::mt19937 random(6);
  std::uniform_real_distribution<double> unit(0.1, 1);
  for (int round = 0; round < 50; ++round) {
    std::vector<LayerOptions> layers(5);
    double dense = 0;
    for (LayerOptions& l : layers) {
      const double seconds = unit(random) * 1e-3;
      dense += seconds;
      for (int o = 0; o < 4; ++o)
        l.options.push_back({"f", seconds / (1 + o * unit(random)), o == 0 ? 0 : unit(random) * o});
    }
    const double budget = 0.6 * dense;
    double best = HUGE_VAL, fastest = 0;
    for (const LayerOptions& l : layers) {
      double least = HUGE_VAL;
      for (const LayerOption& o : l.options) least = std::min(least, o.seconds);
      fastest += least;
    }
    for (int code = 0; code < 1024; ++code) {
      double seconds = 0, lost = 0;
      for (std::size_t l = 0; l < 5; ++l) {
        const LayerOption& o = layers[l].options[static_cast<std::size_t>(code >> (2 * l) & 3)];
        seconds += o.seconds;
        lost += o.lost;
      }
      // What rounding may leave unused.
      if (seconds <= budget * (1 - 5.0 / 20000)) best = std::min(best, lost);
    }
    const Result<BudgetPlan> plan = plan_budget(layers, budget);
    ASSERT_EQ(plan.ok(), fastest <= budget);
    if (!plan) continue;
    EXPECT_LE(plan->seconds, budget);
    EXPECT_LE(plan->lost, best + 1e-12);
  }
}

TEST(Budget, RefusesWhatCannotBeKept) {
  const std::vector<LayerOptions> layers = {{"a", {{"dense", 2, 0}, {"nm", 1, 5}}}};
  EXPECT_NE(plan_budget(layers, 0.5).error().message.find("cannot be kept"), std::string::npos);
  EXPECT_EQ(plan_budget(layers, 1)->choice[0], 1);
  EXPECT_EQ(plan_budget(layers, 2)->choice[0], 0);
  EXPECT_FALSE(plan_budget({{"a", {}}}, 1).ok());
  EXPECT_FALSE(plan_budget({{"a", {{"dense", NAN, 0}}}}, 1).ok());
  EXPECT_FALSE(plan_budget(layers, 0).ok());
}

}  // namespace
}  // namespace cortex
