#include "polyopt/analysis/traffic.h"

#include <gtest/gtest.h>

#include <set>

#include "polyopt/analysis/random_nests.h"

namespace cortex {
namespace {

using namespace cortex::testing;

// A cache that holds the lines of one tile, element by element.
TileTraffic by_walking(const Nest& nest, Schedule schedule, int depth, int64_t line) {
  schedule.loops.resize(depth);
  std::array<std::set<int64_t>, operand_count> held, ever;
  TileTraffic traffic;
  walk(nest, schedule, [&](const KernelCall& tile) {
    ++traffic.tiles;
    for (int o = 0; o < operand_count; ++o) {
      std::set<int64_t> lines;
      const Tensor& tensor = nest.access[o].tensor;
      visit_elements(nest, static_cast<Operand>(o), tile.ranges, [&](const std::vector<int64_t>& element) {
        int64_t address = 0;
        for (std::size_t j = 0; j < element.size(); ++j) address += element[j] * tensor.strides[j];
        lines.insert(address * size_of(tensor.type) / line);
      });
      for (const int64_t l : lines) {
        if (held[o].contains(l)) continue;
        if (o == 2) {
          ++traffic.written;  // it leaves some time
          if (ever[o].insert(l).second) {
            ++traffic.allocated;
            continue;
          }
        }
        ++traffic.read[o];
      }
      held[o] = std::move(lines);
    }
  });
  return traffic;
}

TEST(TileTraffic, RandomSchedulesAgainstWalking) {
  const unsigned seed = 8;
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    const Nest nest = random_nest(random);
    const Schedule schedule = random_schedule(nest, random);
    const int depth = static_cast<int>(uniform(random, 0, std::ssize(schedule.loops)));
    const int64_t line = uniform(random, 0, 1) == 0 ? 16 : 64;
    const std::string where = "seed " + std::to_string(seed) + " round " + std::to_string(round) +
                              ": depth " + std::to_string(depth) + " of " + to_string(schedule, nest);
    const Result<TileTraffic> counted = tile_traffic(nest, schedule, depth, line);
    ASSERT_TRUE(counted) << where << ": " << counted.error().message;
    const TileTraffic expected = by_walking(nest, schedule, depth, line);
    ASSERT_EQ(counted->tiles, expected.tiles) << where;
    ASSERT_EQ(counted->read, expected.read) << where;
    ASSERT_EQ(counted->allocated, expected.allocated) << where;
    ASSERT_EQ(counted->written, expected.written) << where;
  }
}

TEST(TileTraffic, MatmulByHand) {
  // m/64 n/64 k/64 of 256^3: A and B once for every n and m tile, C once; k innermost keeps C.
  const Nest nest = matmul_nest(256, 256, 256);
  Schedule schedule;
  for (int d : {0, 1, 2}) schedule.loops.push_back({.dim = d, .step = 64});
  const Result<TileTraffic> traffic = tile_traffic(nest, schedule, 3);
  ASSERT_TRUE(traffic) << traffic.error().message;
  const int64_t tile = 64 * 64 / 16;
  EXPECT_EQ(traffic->read, (std::array<int64_t, 3>{64 * tile, 64 * tile, 0}));
  EXPECT_EQ(traffic->allocated, 16 * tile);
  EXPECT_EQ(traffic->written, 16 * tile);
  // k outermost: every visit after the first reads C again, and all of them write it.
  std::swap(schedule.loops[0], schedule.loops[2]);
  const Result<TileTraffic> outer = tile_traffic(nest, schedule, 3);
  ASSERT_TRUE(outer);
  EXPECT_EQ(outer->read[2], 48 * tile);
  EXPECT_EQ(outer->written, 64 * tile);
}

TEST(TileTraffic, LargeLayersTakeNoTime) {
  const Nest nest =
      conv_nest({.n = 16, .ic = 256, .oc = 256, .oh = 56, .ow = 56, .kh = 3, .kw = 3, .pad = 1});
  Schedule schedule;
  schedule.loops = {{.dim = 0, .step = 1},  {.dim = 3, .step = 64}, {.dim = 1, .step = 4},
                    {.dim = 6, .step = 64}, {.dim = 1, .step = 1},  {.dim = 2, .step = 6, .balanced = true}};
  for (int depth = 0; depth <= 6; ++depth) {
    const Result<TileTraffic> traffic = tile_traffic(nest, schedule, depth);
    ASSERT_TRUE(traffic) << depth << ": " << traffic.error().message;
    EXPECT_EQ(traffic->allocated, 16 * 56 * 56 * 256 / 16);
  }
}

TEST(TileTraffic, TooManyTilesAreRefused) {
  Schedule schedule;
  for (int d : {0, 1, 2}) schedule.loops.push_back({.dim = d, .step = 1});
  EXPECT_EQ(tile_traffic(matmul_nest(1000, 1000, 1000), schedule, 3).error().code, ErrorCode::unsupported);
}

}  // namespace
}  // namespace cortex
