#include "polyopt/ranker/ranker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "graph/lower/lower.h"

namespace cortex {
namespace {

// y depends on two features and their product; the others are noise.
std::vector<RankerSample> samples(uint32_t seed, int count) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> unit(0, 1);
  std::vector<RankerSample> all(static_cast<std::size_t>(count));
  for (RankerSample& s : all) {
    for (float& f : s.features) f = unit(random);
    s.target = (s.features[3] > 0.5f ? 1.0f : 0.0f) + s.features[3] * s.features[7];
  }
  return all;
}

double mean_square(const Forest& forest, const std::vector<RankerSample>& samples) {
  double sum = 0;
  for (const RankerSample& s : samples) sum += std::pow(forest.predict(s.features) - s.target, 2);
  return sum / static_cast<double>(samples.size());
}

TEST(Forest, PredictsSamplesItHasNotSeen) {
  const Forest forest = train_forest(samples(1, 4000), {});
  EXPECT_LT(mean_square(forest, samples(2, 1000)), 0.01);
  EXPECT_GT(mean_square(Forest{}, samples(2, 1000)), 0.5);
}

TEST(Forest, IsTheSameForTheSameSamples) {
  const Forest x = train_forest(samples(1, 500), {.trees = 20}),
               y = train_forest(samples(1, 500), {.trees = 20});
  for (const RankerSample& s : samples(3, 100)) EXPECT_EQ(x.predict(s.features), y.predict(s.features));
}

TEST(Forest, OfNothingOrOfEqualSamplesIsHarmless) {
  EXPECT_TRUE(train_forest({}, {}).trees.empty());
  const Forest forest = train_forest(std::vector<RankerSample>(100), {.trees = 5});
  EXPECT_EQ(forest.predict({}), 0);
}

TEST(Forest, WeightsDecideBetweenContradictions) {
  std::vector<RankerSample> all(400);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].target = i % 2 ? 1.0f : -1.0f;
    all[i].weight = i % 2 ? 1.0f : 0.01f;
  }
  EXPECT_GT(train_forest(all, {}).predict({}), 0.8);
}

Machine machine(const char* name = "some CPU") {
  Machine m;
  m.name = name;
  m.caches = {{"L1", 32 << 10}, {"L2", 1 << 20}};
  return m;
}

Ranker trained() {
  Ranker ranker(machine());
  ranker.forest = train_forest(samples(1, 300), {.trees = 10});
  return ranker;
}

TEST(RankerFile, ReadsBackWhatItWrote) {
  const Ranker ranker = trained();
  Ranker back(machine());
  ASSERT_TRUE(back.parse(ranker.text(), "r.json"));
  for (const RankerSample& s : samples(4, 50))
    EXPECT_EQ(back.forest.predict(s.features), ranker.forest.predict(s.features));
}

TEST(RankerFile, RefusesWhatIsForeignOrDamagedAndSaysWhy) {
  const std::string good = trained().text();
  const auto refusal = [](const Machine& m, const std::string& text) {
    Ranker ranker(m);
    const Status s = ranker.parse(text, "r.json");
    EXPECT_TRUE(ranker.forest.trees.empty());
    return s ? std::string() : s.error().message;
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  EXPECT_NE(refusal(machine("another"), good).find("another CPU"), std::string::npos);
  EXPECT_NE(refusal(machine(), "{").find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal(machine(), "[]").find("no cortex-ranker-1 file"), std::string::npos);
  EXPECT_NE(refusal(machine(), changed("kernel_share", "kernel_chair")).find("other features"),
            std::string::npos);
  EXPECT_NE(refusal(machine(), changed("\"feature\":[", "\"feature\":[9")).find("checksum"),
            std::string::npos);
  EXPECT_NE(refusal(machine(), changed("\"version\"", "\"vision\"")).find("it has no version"),
            std::string::npos);
}

TEST(Ranker, ReordersTheSearchesBestByCorrectedTime) {
  const Result<Problem> problem = parse_problem("128x256:256x192");
  ASSERT_TRUE(problem.ok());
  const Result<Nest> lowered = lower(*problem);
  ASSERT_TRUE(lowered.ok());
  const Nest nest = coalesce(*lowered);
  const Machine host = host_machine(Isa::avx512);
  const Result<SearchResult> found = search(nest, host, {.threads = 1, .keep = 16});
  ASSERT_TRUE(found.ok());
  // A forest of one tree that dislikes the rows of the kernel chosen first.
  Ranker ranker(host);
  const RankerFeatures first = ranker_features_of(found->best[0].schedule, found->best[0].prediction);
  constexpr std::size_t mr = 3;
  ASSERT_EQ(ranker_feature_names()[mr], "mr");
  Tree tree;
  tree.threshold.fill(std::numeric_limits<float>::infinity());
  tree.feature.fill(mr);
  tree.threshold[0] = first[mr] - 0.5f;  // right: as many rows, or more
  for (std::size_t leaf = Tree::leaves / 2; leaf < Tree::leaves; ++leaf) tree.value[leaf] = 3;
  ranker.forest.trees.push_back(tree);
  std::vector<Candidate> best = found->best;
  ranker.reorder(best);
  ASSERT_EQ(best.size(), found->best.size());
  const auto corrected = [&](const Candidate& c) {
    return c.prediction.cycles * ranker.correction(c.schedule, c.prediction);
  };
  for (std::size_t i = 1; i < best.size(); ++i) EXPECT_LE(corrected(best[i - 1]), corrected(best[i]));
  const Result<Candidate> chosen = best_schedule(nest, host, {.threads = 1}, &ranker);
  ASSERT_TRUE(chosen.ok());
  EXPECT_LE(corrected(*chosen), corrected(best[0]));
  const Result<Candidate> analytic = best_schedule(nest, host, {.threads = 1}, nullptr);
  ASSERT_TRUE(analytic.ok());
  EXPECT_EQ(to_string(analytic->schedule, nest), to_string(found->best[0].schedule, nest));
}

}  // namespace
}  // namespace cortex
