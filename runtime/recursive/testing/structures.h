// Batches of structures for tests: random trees, DAGs, chains, stars.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "cortex/recursive.h"
#include "graph/recursive/model.h"

namespace cortex::recursive::testing {

struct Batch {
  std::vector<int32_t> structure_offsets{0}, child_offsets{0}, child_ids, words, selectors;
  std::vector<float> features;

  // Adds a structure given by children of local node numbers.
  void add(const std::vector<std::vector<int32_t>>& children) {
    const int32_t base = structure_offsets.back();
    for (const auto& list : children) {
      for (const int32_t c : list) child_ids.push_back(base + c);
      child_offsets.push_back(static_cast<int32_t>(child_ids.size()));
    }
    structure_offsets.push_back(base + static_cast<int32_t>(children.size()));
  }

  int32_t nodes() const { return structure_offsets.back(); }

  void fill(std::mt19937& random, int vocabulary, int feature_width) {
    words.clear();
    selectors.clear();
    for (int32_t v = 0; v < nodes(); ++v) {
      words.push_back(std::uniform_int_distribution<int>(-1, vocabulary - 1)(random));
      const int count =
          child_offsets[static_cast<std::size_t>(v) + 1] - child_offsets[static_cast<std::size_t>(v)];
      selectors.push_back(std::uniform_int_distribution<int>(-1, count - 1)(random));
    }
    std::uniform_real_distribution<float> uniform(-1, 1);
    features.resize(static_cast<std::size_t>(nodes()) * static_cast<std::size_t>(feature_width));
    for (float& x : features) x = uniform(random);
  }

  cortex_recursive_batch view() const {
    cortex_recursive_batch b = cortex_recursive_batch_init();
    b.structures = static_cast<int64_t>(structure_offsets.size()) - 1;
    b.nodes = nodes();
    b.structure_offsets = structure_offsets.data();
    b.child_offsets = child_offsets.data();
    b.child_ids = child_ids.data();
    b.words = words.data();
    b.selectors = selectors.data();
    b.features = features.data();
    return b;
  }
};

// Node numbers shuffled, so that neither children nor parents come first.
inline std::vector<std::vector<int32_t>> random_structure(Structure kind, int nodes, int most,
                                                          std::mt19937& random) {
  std::vector<std::vector<int32_t>> children(static_cast<std::size_t>(nodes));
  std::vector<int32_t> name(static_cast<std::size_t>(nodes));
  for (int32_t i = 0; i < nodes; ++i) name[static_cast<std::size_t>(i)] = i;
  std::shuffle(name.begin(), name.end(), random);
  if (kind == Structure::sequence) most = 1;
  for (int i = 1; i < nodes; ++i) {  // node i hangs below an earlier one that has room
    const int parents = kind == Structure::dag ? std::uniform_int_distribution<int>(0, 3)(random) : 1;
    for (int p = 0; p < parents; ++p) {
      int parent = kind == Structure::sequence ? i - 1 : std::uniform_int_distribution<int>(0, i - 1)(random);
      while (most > 0 &&
             static_cast<int>(
                 children[static_cast<std::size_t>(name[static_cast<std::size_t>(parent)])].size()) >= most) {
        parent = (parent + 1) % i;
        if (kind == Structure::dag) break;
      }
      auto& list = children[static_cast<std::size_t>(name[static_cast<std::size_t>(parent)])];
      if (most <= 0 || static_cast<int>(list.size()) < most)
        list.push_back(name[static_cast<std::size_t>(i)]);
    }
  }
  return children;
}

}  // namespace cortex::recursive::testing
