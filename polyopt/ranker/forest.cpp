#include "polyopt/ranker/forest.h"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace cortex {
namespace {

constexpr int bins = 64;
constexpr float never = std::numeric_limits<float>::infinity();  // as a threshold: all go left

// Features as the number of the bin they fall into; edges are quantiles of the samples.
class Bins {
 public:
  explicit Bins(const std::vector<RankerSample>& samples) : binned_(samples.size()) {
    std::vector<float> values(samples.size());
    for (std::size_t f = 0; f < ranker_features; ++f) {
      for (std::size_t i = 0; i < samples.size(); ++i) values[i] = samples[i].features[f];
      std::sort(values.begin(), values.end());
      std::vector<float>& edge = edges_[f];
      for (std::size_t b = 1; b < bins; ++b) {
        const float at = values[b * (values.size() - 1) / bins];
        if (at < values.back() && (edge.empty() || at > edge.back())) edge.push_back(at);
      }
      for (std::size_t i = 0; i < samples.size(); ++i) {
        const auto above = std::lower_bound(edge.begin(), edge.end(), samples[i].features[f]);
        binned_[i][f] = static_cast<uint8_t>(above - edge.begin());
      }
    }
  }

  int of(std::size_t sample, int feature) const { return binned_[sample][static_cast<std::size_t>(feature)]; }
  // Samples of bin b or less are at most this.
  float edge(int feature, int b) const {
    return edges_[static_cast<std::size_t>(feature)][static_cast<std::size_t>(b)];
  }
  int edges(int feature) const { return static_cast<int>(edges_[static_cast<std::size_t>(feature)].size()); }

 private:
  std::array<std::vector<float>, ranker_features> edges_;
  std::vector<std::array<uint8_t, ranker_features>> binned_;
};

struct Sum {
  double weight = 0, residual = 0;  // residual: times weight
  void add(const Sum& s) {
    weight += s.weight;
    residual += s.residual;
  }
  // What splitting off this part explains, up to a constant.
  double gain(double regular) const { return residual * residual / (weight + regular); }
};

struct Split {
  int feature = 0, bin = -1;  // bin -1: no split
};

class TreeBuilder {
 public:
  TreeBuilder(const std::vector<RankerSample>& samples, const Bins& binned, const ForestOptions& options)
      : samples_(samples), bins_(binned), options_(options), node_(samples.size()) {}

  Tree grow(const std::vector<float>& residual) {
    Tree tree;
    std::fill(node_.begin(), node_.end(), 0);
    for (int level = 0; level < Tree::depth; ++level) {
      const int first = (1 << level) - 1, nodes = 1 << level;
      const std::vector<Split> splits = best_splits(residual, nodes);
      for (int n = 0; n < nodes; ++n) {
        const Split& s = splits[static_cast<std::size_t>(n)];
        const auto at = static_cast<std::size_t>(first + n);
        tree.feature[at] = s.feature;
        tree.threshold[at] = s.bin < 0 ? never : bins_.edge(s.feature, s.bin);
      }
      for (std::size_t i = 0; i < node_.size(); ++i) {
        const Split& s = splits[static_cast<std::size_t>(node_[i])];
        node_[i] = 2 * node_[i] + (s.bin >= 0 && bins_.of(i, s.feature) > s.bin);
      }
    }
    std::array<Sum, Tree::leaves> sums{};
    for (std::size_t i = 0; i < node_.size(); ++i)
      sums[static_cast<std::size_t>(node_[i])].add(weighted(i, residual));
    for (std::size_t l = 0; l < sums.size(); ++l) {
      const double value = sums[l].residual / (sums[l].weight + options_.leaf_weight);
      tree.value[l] = static_cast<float>(options_.rate * value);
    }
    return tree;
  }

  int leaf(std::size_t sample) const { return node_[sample]; }  // of the tree grown last

 private:
  Sum weighted(std::size_t i, const std::vector<float>& residual) const {
    return {samples_[i].weight, static_cast<double>(samples_[i].weight) * residual[i]};
  }

  std::vector<Split> best_splits(const std::vector<float>& residual, int nodes) const {
    std::vector<Split> best(static_cast<std::size_t>(nodes));
    std::vector<double> most(best.size(), 1e-9);
    std::vector<std::array<Sum, bins>> histogram(best.size());
    for (int f = 0; f < ranker_features; ++f) {
      if (bins_.edges(f) == 0) continue;
      for (auto& h : histogram) h.fill({});
      for (std::size_t i = 0; i < node_.size(); ++i)
        histogram[static_cast<std::size_t>(node_[i])][static_cast<std::size_t>(bins_.of(i, f))].add(
            weighted(i, residual));
      for (std::size_t n = 0; n < best.size(); ++n) {
        Sum all, left;
        for (const Sum& s : histogram[n]) all.add(s);
        for (int b = 0; b < bins_.edges(f); ++b) {
          left.add(histogram[n][static_cast<std::size_t>(b)]);
          const Sum right{all.weight - left.weight, all.residual - left.residual};
          if (left.weight < options_.leaf_weight || right.weight < options_.leaf_weight) continue;
          const double r = options_.leaf_weight;
          const double gain = left.gain(r) + right.gain(r) - all.gain(r);
          if (gain > most[n]) {
            most[n] = gain;
            best[n] = {f, b};
          }
        }
      }
    }
    return best;
  }

  const std::vector<RankerSample>& samples_;
  const Bins& bins_;
  const ForestOptions& options_;
  std::vector<int> node_;  // of each sample, within its level
};

}  // namespace

int Tree::leaf(const RankerFeatures& features) const {
  int at = 0;
  for (int level = 0; level < depth; ++level) {
    const auto n = static_cast<std::size_t>(at);
    at = 2 * at + 1 + (features[static_cast<std::size_t>(feature[n])] > threshold[n]);
  }
  return at - inner;
}

double Forest::predict(const RankerFeatures& features) const {
  double sum = 0;
  for (const Tree& tree : trees) sum += tree.value[static_cast<std::size_t>(tree.leaf(features))];
  return sum;
}

Forest train_forest(const std::vector<RankerSample>& samples, const ForestOptions& options) {
  Forest forest;
  if (samples.empty()) return forest;
  const Bins binned(samples);
  TreeBuilder builder(samples, binned, options);
  std::vector<float> residual(samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) residual[i] = samples[i].target;
  for (int t = 0; t < options.trees; ++t) {
    forest.trees.push_back(builder.grow(residual));
    for (std::size_t i = 0; i < samples.size(); ++i)
      residual[i] -= forest.trees.back().value[static_cast<std::size_t>(builder.leaf(i))];
  }
  return forest;
}

}  // namespace cortex
