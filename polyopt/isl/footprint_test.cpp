#include "polyopt/isl/footprint.h"

#include <gtest/gtest.h>

#include <set>

#include "polyopt/analysis/runs.h"
#include "polyopt/analysis/testing.h"

namespace cortex {
namespace {

using namespace cortex::testing;
using polyhedral::TileRange;

// Visits every iteration of a tile and collects the addresses it touches.
struct Counted {
  std::set<int64_t> elements, lines;
};

Counted brute_force(const Nest& nest, const std::vector<TileRange>& tile, Operand operand, int64_t line) {
  const Access& access = nest[operand];
  Counted counted;
  std::vector<int64_t> i(tile.size());
  const std::function<void(std::size_t)> visit = [&](std::size_t d) {
    if (d < tile.size()) {
      for (i[d] = tile[d].lo; i[d] < tile[d].lo + tile[d].len; ++i[d]) visit(d + 1);
      return;
    }
    int64_t address = 0;
    for (std::size_t j = 0; j < access.subscripts.size(); ++j) {
      int64_t x = access.subscripts[j].constant;
      for (const AffineTerm& t : access.subscripts[j].terms) x += t.coeff * i[t.dim];
      if (x < 0 || x >= access.tensor.shape[j]) return;
      address += x * access.tensor.strides[j];
    }
    counted.elements.insert(address);
    counted.lines.insert(address * size_of(access.tensor.type) / line);
  };
  visit(0);
  return counted;
}

std::vector<TileRange> random_tile(const Nest& nest, Random& random) {
  std::vector<TileRange> tile;
  for (const Dim& d : nest.dims) {
    const int64_t len = uniform(random, 1, d.extent);
    tile.push_back({uniform(random, 0, d.extent - len), len});
  }
  return tile;
}

void expect_exact(const Nest& nest, const std::vector<TileRange>& tile, int64_t line,
                  const std::string& where) {
  const Result<ExactFootprint> footprint = exact_footprint(nest, tile, line);
  ASSERT_TRUE(footprint) << where << ": " << footprint.error().message;
  for (int o = 0; o < operand_count; ++o) {
    const Counted counted = brute_force(nest, tile, static_cast<Operand>(o), line);
    EXPECT_EQ(footprint->array[o].elements, std::ssize(counted.elements)) << where << " operand " << o;
    EXPECT_EQ(footprint->array[o].lines, std::ssize(counted.lines)) << where << " operand " << o;
  }
}

TEST(Footprint, RandomConvolutionsAgainstCounting) {
  const unsigned seed = 411;
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    ConvShape shape{.n = uniform(random, 1, 2),
                    .ic = uniform(random, 1, 20),
                    .oc = uniform(random, 1, 20),
                    .oh = uniform(random, 1, 6),
                    .ow = uniform(random, 1, 9),
                    .kh = uniform(random, 1, 3),
                    .kw = uniform(random, 1, 4),
                    .stride = uniform(random, 1, 4),
                    .dilation = uniform(random, 1, 3)};
    if (shape.oh * shape.stride > 4 && shape.ow * shape.stride > 4 && shape.kh > 1 && shape.kw > 1) {
      shape.pad = uniform(random, 0, 1);
    }
    const Nest nest = conv_nest(shape);
    expect_exact(nest, random_tile(nest, random), uniform(random, 0, 3) == 0 ? 16 : 64,
                 "seed " + std::to_string(seed) + " round " + std::to_string(round));
  }
}

TEST(Footprint, RandomMatmulsWithPitchAgainstCounting) {
  const unsigned seed = 17;
  Random random(seed);
  for (int round = 0; round < 100; ++round) {
    Nest nest = matmul_nest(uniform(random, 1, 30), uniform(random, 1, 40), uniform(random, 1, 20));
    for (Access& access : nest.access) access.tensor.strides[0] += uniform(random, 0, 20);
    if (uniform(random, 0, 1) == 1) nest[Operand::b].tensor.strides = {1, nest.dims[2].extent};  // transposed
    expect_exact(nest, random_tile(nest, random), 64,
                 "seed " + std::to_string(seed) + " round " + std::to_string(round));
  }
}

TEST(Footprint, ImagesThatAreNoProductAreEnumerated) {
  Nest nest = matmul_nest(12, 9, 7);
  nest[Operand::a].tensor = dense("A", {12, 40});
  nest[Operand::a].subscripts = {affine({{0, 1}}), affine({{0, 2}, {2, 1}})};  // a sheared band
  const std::vector<TileRange> tile{{1, 8}, {0, 9}, {2, 4}};
  const Result<ExactFootprint> footprint = exact_footprint(nest, tile);
  ASSERT_TRUE(footprint) << footprint.error().message;
  EXPECT_FALSE(footprint->array[0].factorised);
  EXPECT_TRUE(footprint->array[1].factorised);
  expect_exact(nest, tile, 64, "sheared");
}

TEST(Footprint, OverlappingAxesAreCountedByIsl) {
  Nest nest = matmul_nest(10, 9, 30);
  nest[Operand::a].tensor.strides = {8, 1};  // rows overlap in memory
  const Result<ExactFootprint> footprint = exact_footprint(nest, {{0, 10}, {0, 9}, {0, 30}});
  ASSERT_TRUE(footprint) << footprint.error().message;
  EXPECT_EQ(footprint->array[0].lines, (9 * 8 + 30 + 15) / 16);
}

TEST(Footprint, TooManyToEnumerateIsRefused) {
  Nest nest = conv_nest({.ic = 4000, .oh = 4000, .ow = 4000});
  nest[Operand::a].tensor = dense("A", {4000, 4000, 4000, 12000});
  nest[Operand::a].subscripts = {affine({{1, 1}}), affine({{2, 1}}), affine({{6, 1}}),
                                 affine({{1, 1}, {2, 1}, {6, 1}})};
  const Result<ExactFootprint> footprint =
      exact_footprint(nest, {{0, 1}, {0, 4000}, {0, 4000}, {0, 1}, {0, 1}, {0, 1}, {0, 4000}});
  ASSERT_FALSE(footprint);
  EXPECT_NE(footprint.error().message.find("footprint of A in conv: gave up"), std::string::npos)
      << footprint.error().message;
}

TEST(Footprint, LargeTilesAreCountedWithoutEnumeration) {
  const Nest nest =
      conv_nest({.n = 256, .ic = 512, .oc = 512, .oh = 112, .ow = 112, .kh = 3, .kw = 3, .pad = 1});
  std::vector<TileRange> all;
  for (const Dim& d : nest.dims) all.push_back({0, d.extent});
  const Result<ExactFootprint> footprint = exact_footprint(nest, all);
  ASSERT_TRUE(footprint) << footprint.error().message;
  EXPECT_EQ(footprint->array[0].elements, 256LL * 112 * 112 * 512);
  EXPECT_EQ(footprint->array[0].lines, 256LL * 112 * 112 * 512 / 16);
  EXPECT_EQ(footprint->array[1].elements, 9LL * 512 * 512);
}

TEST(Footprint, TilesThatDoNotExistAreRefused) {
  const Nest nest = matmul_nest(8, 8, 8);
  EXPECT_FALSE(exact_footprint(nest, Schedule{}, 1));
  EXPECT_FALSE(exact_footprint(nest, Schedule{}, -1));
  EXPECT_FALSE(exact_footprint(nest, {{0, 1}}));
  EXPECT_TRUE(exact_footprint(nest, Schedule{}, 0));
}

TEST(Footprint, ScheduleDepthsShrinkTheTile) {
  const Nest nest = matmul_nest(100, 96, 64);
  const Schedule schedule{.loops = {{.dim = 0, .step = 48}, {.dim = 1, .step = 32}}, .packs = {}, .tile = {}};
  const auto at = [&](int depth) { return exact_footprint(nest, schedule, depth)->array; };
  EXPECT_EQ(at(0)[0].elements, 100 * 64);
  EXPECT_EQ(at(1)[0].elements, 48 * 64);
  EXPECT_EQ(at(2)[1].elements, 64 * 32);
  EXPECT_EQ(at(2)[2].elements, 48 * 32);
}

// Runs of a few steps, and of more than there are phases of a line.
TEST(Runs, LinesOfStridedRunsAgainstCounting) {
  const unsigned seed = 5;
  Random random(seed);
  for (int round = 0; round < 1000; ++round) {
    const int64_t longest = round % 2 ? 6 : 90;
    std::vector<polyhedral::Axis> axes;
    int64_t stride = uniform(random, 1, 3) * 4;
    for (int64_t k = uniform(random, 1, longest > 6 ? 2 : 3); k > 0; --k) {
      polyhedral::Axis axis{{}, stride};
      int64_t x = uniform(random, 0, 5);
      for (int64_t runs = uniform(random, 1, 3); runs > 0; --runs) {
        const int64_t step = uniform(random, 1, 6), n = uniform(random, 1, longest);
        axis.indices.push_back({x, x + (n - 1) * step, step});
        x += n * step + uniform(random, 0, 4);
      }
      axes.push_back(axis);
      stride *= x + uniform(random, 0, 3);
    }
    std::set<int64_t> lines;
    const std::function<void(std::size_t, int64_t)> visit = [&](std::size_t k, int64_t address) {
      if (k == axes.size()) {
        lines.insert(address / 64);
        return;
      }
      for (const polyhedral::Run& run : axes[k].indices) {
        for (int64_t x = run.lo; x <= run.hi; x += run.stride) visit(k + 1, address + x * axes[k].stride);
      }
    };
    visit(0, 0);
    ASSERT_EQ(polyhedral::count_lines(axes, 4, 64), std::ssize(lines))
        << "seed " << seed << " round " << round;
  }
}

// Counted at once, whatever their number: 10^12 rows of 20 bytes, every third of them.
TEST(Runs, LinesOfAnyNumberOfRows) {
  const int64_t rows = 1000000000000;
  const std::vector<polyhedral::Axis> all = {{{{0, 4, 1}}, 4}, {{{0, rows - 1, 1}}, 20}},
                                      some = {{{{0, 4, 1}}, 4}, {{{0, 3 * (rows - 1), 3}}, 20}};
  EXPECT_EQ(polyhedral::count_lines(all, 4, 64), rows * 20 / 64);
  // 16 rows are 15 lines' distance, and touch 16 + 5 of them: 60-byte steps from each phase.
  int64_t lines = 0, last = -1;
  for (int64_t i = 0; i < 16; ++i) {
    for (int64_t line = i * 60 / 64; line <= (i * 60 + 19) / 64; ++line)
      lines += line > last, last = std::max(last, line);
  }
  const int64_t joint = last == 15 ? 1 : 0;  // the first line of the next 16
  EXPECT_EQ(polyhedral::count_lines(some, 4, 64), rows / 16 * (lines - joint) + joint);
}

}  // namespace
}  // namespace cortex
