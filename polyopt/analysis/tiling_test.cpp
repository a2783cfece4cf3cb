#include "polyopt/analysis/tiling.h"

#include <gtest/gtest.h>

#include <map>

#include "polyopt/analysis/testing.h"

namespace cortex::polyhedral {
namespace {

using namespace cortex::testing;

// Coordinate -> tile indices of the dim's loops, by the pieces.
void evaluate(const TilePiece& piece, const Schedule& schedule,
              std::map<int64_t, std::vector<int64_t>>& out) {
  std::vector<int64_t> t;
  const std::function<void(std::size_t, int64_t)> choose = [&](std::size_t k, int64_t lo) {
    if (k < piece.indices.size()) {
      const TileIndex& index = piece.indices[k];
      for (int64_t v = index.first; v < index.end; ++v) {
        t.push_back(v);
        choose(k + 1, lo + index.step * (v - index.first));
        t.pop_back();
      }
      return;
    }
    for (int64_t x = lo; x < lo + piece.len; ++x) {
      std::vector<int64_t> tile = t;
      int64_t start = lo;
      for (int loop : piece.fixed) {
        tile.push_back((x - start) / schedule.loops[loop].step);
        start += tile.back() * schedule.loops[loop].step;
      }
      ASSERT_TRUE(out.emplace(x, tile).second) << "coordinate " << x << " is in two pieces";
    }
  };
  choose(0, piece.start);
}

TEST(Tiling, PiecesSayWhatTheLoopsDo) {
  const unsigned seed = 20240611;
  Random random(seed);
  for (int round = 0; round < 500; ++round) {
    Nest nest = matmul_nest(uniform(random, 1, 60), 1, 1);
    Schedule schedule;
    for (int64_t loops = uniform(random, 0, 4); loops > 0; --loops) {
      schedule.loops.push_back(
          {.dim = 0, .step = uniform(random, 1, 25), .balanced = uniform(random, 0, 1) == 1});
    }
    std::map<int64_t, std::vector<int64_t>> expected, found;
    walk(nest, schedule, [&](const KernelCall& call) {
      for (int64_t x = call.ranges[0].lo; x < call.ranges[0].lo + call.ranges[0].len; ++x)
        expected[x] = call.tile;
    });
    for (const TilePiece& piece : tile_pieces(nest, schedule, 0)) evaluate(piece, schedule, found);
    ASSERT_EQ(found, expected) << "seed " << seed << " round " << round;
  }
}

TEST(Tiling, FixedStepsNeedOnePiece) {
  const Nest nest = matmul_nest(1000, 1, 1);
  const Schedule schedule{.loops = {{.dim = 0, .step = 192}, {.dim = 0, .step = 7}}, .packs = {}, .tile = {}};
  EXPECT_EQ(tile_pieces(nest, schedule, 0).size(), 1u);
}

TEST(Tiling, InteriorTileIsAFullTileOfTheWalk) {
  const unsigned seed = 7;
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    const Nest nest = matmul_nest(uniform(random, 1, 40), uniform(random, 1, 10), 1);
    Schedule schedule;
    for (int64_t loops = uniform(random, 1, 4); loops > 0; --loops) {
      schedule.loops.push_back({.dim = static_cast<int>(uniform(random, 0, 1)),
                                .step = uniform(random, 1, 12),
                                .balanced = uniform(random, 0, 1) == 1});
    }
    const std::vector<TileRange> tile =
        interior_tile(nest, schedule, static_cast<int>(schedule.loops.size()));
    bool visited = false;
    walk(nest, schedule, [&](const KernelCall& call) { visited |= call.ranges == tile; });
    ASSERT_TRUE(visited) << "seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace cortex::polyhedral
