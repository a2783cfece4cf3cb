// Gradient-boosted regression trees of fixed depth, trained on histograms (Friedman, "Greedy function
// approximation: a gradient boosting machine", 2001; histograms as in LightGBM, 2017). Deterministic.
#pragma once

#include <array>
#include <vector>

#include "polyopt/ranker/features.h"

namespace cortex {

struct RankerSample {
  RankerFeatures features{};
  float target = 0;  // what the forest is to predict
  float weight = 1;
};

// A complete binary tree. A sample goes right where its feature exceeds the threshold.
struct Tree {
  static constexpr int depth = 4;
  static constexpr int inner = (1 << depth) - 1;
  static constexpr int leaves = 1 << depth;
  std::array<int, inner> feature{};
  std::array<float, inner> threshold{};
  std::array<float, leaves> value{};

  int leaf(const RankerFeatures& features) const;
};

struct ForestOptions {
  int trees = 150;
  double rate = 0.08;       // of what a tree has found, the share that is taken
  double leaf_weight = 20;  // least weight of a leaf; also how strongly its value is drawn to zero
};

class Forest {
 public:
  double predict(const RankerFeatures& features) const;

  std::vector<Tree> trees;
};

Forest train_forest(const std::vector<RankerSample>& samples, const ForestOptions& options);

}  // namespace cortex
