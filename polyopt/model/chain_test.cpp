#include "polyopt/model/chain.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cortex {
namespace {

// What the loops would do, one tile at a time.
void walk(int64_t size, const std::vector<std::pair<int64_t, bool>>& steps, std::size_t level,
          std::map<int64_t, int>& sizes, std::vector<int>& tiles) {
  if (level == steps.size()) {
    ++sizes[size];
    return;
  }
  const auto [step, balanced] = steps[level];
  const int64_t trips = (size + step - 1) / step;
  for (int64_t t = 0, at = 0; t < trips; ++t) {
    const int64_t s = balanced ? size / trips + (t < size % trips) : std::min(step, size - at);
    ++tiles[level];
    walk(s, steps, level + 1, sizes, tiles);
    at += s;
  }
}

TEST(Chain, CountsTilesAsTheLoopsDo) {
  std::mt19937 random(20240611);
  for (int round = 0; round < 2000; ++round) {
    const int64_t extent = 1 + random() % 300;
    std::vector<std::pair<int64_t, bool>> steps;
    Chain chain = whole(extent);
    for (std::size_t l = 0, levels = random() % 3; l < levels; ++l) {
      const int64_t last = steps.empty() ? extent : steps.back().first;
      steps.emplace_back(1 + random() % last, random() % 2 == 0);
      split(chain, extent, steps.back().first, steps.back().second);
    }
    std::map<int64_t, int> sizes;
    std::vector<int> tiles(steps.size() + 1);
    walk(extent, steps, 0, sizes, tiles);
    double product = 1;
    for (std::size_t l = 0; l < steps.size(); ++l) {
      product *= chain.level[l].trips;
      ASSERT_NEAR(product, tiles[l], 1e-6) << "extent " << extent << ", round " << round;
      ASSERT_NEAR(chain.level[l].length * tiles[l], static_cast<double>(extent), 1e-6);
    }
    if (sizes.size() > chain.tiles.size.size()) continue;
    ASSERT_EQ(chain.tiles.count, static_cast<int>(sizes.size())) << "round " << round;
    for (int i = 0; i < chain.tiles.count; ++i) {
      EXPECT_NEAR(chain.tiles.number[i], sizes[chain.tiles.size[i]], 1e-6) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace cortex
