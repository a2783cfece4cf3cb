#include <gtest/gtest.h>

#include <cfenv>

#include "polyopt/analysis/testing.h"
#include "polyopt/isl/subscript_bounds.h"
#include "polyopt/ppl/bounds.h"
#include "polyopt/ppl/box.h"
#include "polyopt/ppl/tile_limit.h"

namespace cortex {
namespace {

using namespace cortex::testing;

Nest random_nest(Random& random) {
  if (uniform(random, 0, 2) == 0) {
    return matmul_nest(uniform(random, 1, 5000), uniform(random, 1, 5000), uniform(random, 1, 5000));
  }
  return conv_nest({.n = uniform(random, 1, 8),
                    .ic = uniform(random, 1, 600),
                    .oc = uniform(random, 1, 600),
                    .oh = uniform(random, 4, 120),
                    .ow = uniform(random, 4, 120),
                    .kh = uniform(random, 1, 7),
                    .kw = uniform(random, 1, 7),
                    .stride = uniform(random, 1, 3),
                    .dilation = uniform(random, 1, 3),
                    .pad = uniform(random, 0, 1)});
}

TEST(TileLimit, IntegerProgramAgreesWithSearch) {
  const unsigned seed = 321;
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    const Nest nest = random_nest(random);
    std::vector<int64_t> tile;
    for (const Dim& d : nest.dims) tile.push_back(uniform(random, 1, std::min<int64_t>(d.extent, 40)));
    const int dim = static_cast<int>(uniform(random, 0, std::ssize(nest.dims) - 1));
    const int64_t capacity = uniform(random, 1, 1 << uniform(random, 8, 24));
    const auto program = largest_tile(nest, tile, dim, capacity);
    const auto search = largest_tile_by_search(nest, tile, dim, capacity);
    ASSERT_TRUE(program) << program.error().message;
    ASSERT_TRUE(search);
    ASSERT_EQ(program->tile, search->tile)
        << "seed " << seed << " round " << round << " dim " << nest.dims[dim].name;
    ASSERT_EQ(program->bytes, search->bytes) << "seed " << seed << " round " << round;
    if (program->tile > 0) {
      EXPECT_EQ(program->by_ppl, built_with_ppl());
      tile[dim] = program->tile;
      EXPECT_LE(*box_bytes(nest, tile, 64), capacity);
      if (++tile[dim] <= nest.dims[dim].extent) {
        EXPECT_GT(*box_bytes(nest, tile, 64), capacity);
      }
    }
  }
}

TEST(TileLimit, MatmulByHand) {
  // A: m x 256 f32, B: 256 x 64, C: m x 64: (1024 + 256) m + 65536 <= 1 MiB, so m <= 768.
  const Nest nest = matmul_nest(2000, 64, 256);
  const auto limit = largest_tile(nest, {1, 64, 256}, 0, 1 << 20);
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->tile, 768);
  EXPECT_EQ(limit->bytes, 1 << 20);
}

TEST(TileLimit, NothingFits) {
  const auto limit = largest_tile(matmul_nest(100, 100, 100), {1, 100, 100}, 0, 1000);
  ASSERT_TRUE(limit);
  EXPECT_EQ(limit->tile, 0);
}

TEST(TileLimit, SquaredDimsAreSearched) {
  Nest nest = matmul_nest(50, 50, 10);
  nest[Operand::a].tensor = dense("A", {50, 60});
  nest[Operand::a].subscripts[1] = affine({{0, 1}, {2, 1}});  // m twice in A
  const auto limit = largest_tile(nest, {1, 1, 10}, 0, 4096);
  ASSERT_TRUE(limit);
  EXPECT_FALSE(limit->by_ppl);
  EXPECT_GT(limit->tile, 1);
}

TEST(TileLimit, BadArgumentsAreRefused) {
  const Nest nest = matmul_nest(10, 10, 10);
  EXPECT_FALSE(largest_tile(nest, {1, 1, 1}, 3, 1000));
  EXPECT_FALSE(largest_tile(nest, {1, 1}, 0, 1000));
  EXPECT_FALSE(largest_tile(nest, {1, 11, 1}, 0, 1000));
}

TEST(Bounds, PplAgreesWithIsl) {
  const unsigned seed = 77;
  Random random(seed);
  for (int round = 0; round < 40; ++round) {
    const Nest nest = random_nest(random);
    for (const Access& access : nest.access) {
      for (std::size_t j = 0; j < access.subscripts.size(); ++j) {
        const auto ppl = expression_bounds(nest, access.subscripts[j]);
        const auto isl = subscript_bounds(nest, access.subscripts[j]);
        ASSERT_TRUE(ppl) << ppl.error().message;
        ASSERT_TRUE(isl) << isl.error().message;
        EXPECT_EQ(ppl->min, isl->first) << "seed " << seed << " round " << round;
        EXPECT_EQ(ppl->max, isl->second) << "seed " << seed << " round " << round;
        if (!access.padded) {
          EXPECT_GE(ppl->min, 0);
          EXPECT_LT(ppl->max, access.tensor.shape[j]);
        }
      }
    }
  }
}

TEST(Ppl, LeavesTheRoundingModeAlone) {
  ASSERT_TRUE(largest_tile(matmul_nest(10, 10, 10), {1, 1, 1}, 0, 1000));
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

}  // namespace
}  // namespace cortex
