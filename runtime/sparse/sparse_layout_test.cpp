// Layouts name every element once; tilings cover every output once and read what the window says.
#include <gtest/gtest.h>

#include <set>

#include "runtime/sparse/tiles.h"

namespace cortex {
namespace {

TEST(PointLayout, IsAPermutation) {
  const int64_t batch = 4, channels = 3, points = 12;
  for (const PointLayout layout : {PointLayout{1, 1}, {1, 12}, {1, 4}, {2, 6}, {4, 1}, {4, 12}}) {
    std::set<int64_t> seen;
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t p = 0; p < points; ++p)
          seen.insert(layout.at(n / layout.images, p, channels, points) + c * layout.ld_channel() +
                      n % layout.images);
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(batch * channels * points)) << layout.name(points);
    EXPECT_EQ(*seen.rbegin(), batch * channels * points - 1) << layout.name(points);
  }
}

TEST(PointLayout, FastestByShape) {
  EXPECT_EQ(fastest_layout(1, 3136, 56, 16, 7, 16).name(3136), "nPc112p");
  EXPECT_EQ(fastest_layout(1, 196, 14, 16, 7, 16).name(196), "ncdhw");  // two tiles are the plane
  EXPECT_EQ(fastest_layout(1, 361, 19, 16, 7, 16).name(361), "ncdhw");  // no block divides it
  EXPECT_EQ(fastest_layout(32, 3136, 56, 16, 7, 16).name(3136), "NPc7p16n");
  EXPECT_EQ(fastest_layout(16, 169, 13, 16, 7, 16).name(169), "Ncp16n");
  EXPECT_EQ(fastest_layout(24, 3136, 56, 16, 7, 16).name(3136), "nPc112p");  // images do not fill a vector
}

// Vectors of bytes: 64 points, or four points of 16 images.
TEST(PointLayout, FastestOfBytes) {
  EXPECT_EQ(fastest_layout(1, 3136, 56, 64, 7, 16).name(3136), "nPc448p");
  EXPECT_EQ(fastest_layout(16, 3136, 56, 64, 7, 16).name(3136), "NPc28p16n");
  EXPECT_EQ(fastest_layout(16, 196, 14, 64, 7, 16).name(196), "NPc28p16n");  // two rows
  EXPECT_EQ(fastest_layout(16, 49, 7, 64, 7, 16).name(49), "Ncp16n");
}

// Vectors of bf16: 32 points, or two points of 16 images.
TEST(PointLayout, FastestOfBf16) {
  EXPECT_EQ(fastest_layout(1, 3136, 56, 32, 7, 16).name(3136), "nPc224p");
  EXPECT_EQ(fastest_layout(16, 3136, 56, 32, 7, 16).name(3136), "NPc14p16n");
  EXPECT_EQ(fastest_layout(16, 49, 7, 32, 7, 16).name(49), "Ncp16n");
}

// Every output point is written by one lane of one tile.
void check_cover(const ConvProblem& conv, const Tiling& tiling, int lanes) {
  std::set<int64_t> written;
  int64_t count = 0;
  for (const PointTile& tile : tiling.tiles) {
    const TilePattern& pattern = tiling.patterns[static_cast<std::size_t>(tile.pattern)];
    const auto write = [&](int64_t at) { written.insert(tile.dst + at), ++count; };
    EXPECT_LE(pattern.lanes, tiling.vectors * lanes);
    if (pattern.places.empty()) {
      for (int64_t i = 0; i < pattern.lanes; ++i) write(i);
    } else {
      for (const cortex_sparse_place& place : pattern.places)
        for (int32_t i = 0; i < place.count; ++i) write(place.offset + i);
    }
    for (const cortex_sparse_run& run : pattern.runs) {
      EXPECT_GE(run.to, 0);
      EXPECT_LE(run.to + lanes, tiling.ld_panel);
    }
  }
  EXPECT_EQ(count, conv.mb * points_of(conv));
  EXPECT_EQ(written.size(), static_cast<std::size_t>(count));
}

void check_tilings(const PointVector& vector) {
  const int lanes = vector.lanes;
  for (const char* line :
       {"mb2ic2ih14oc1oh14kh3ph1", "mb1ic2ih56oc1oh56kh3ph1", "mb1ic2ih28oc1oh14kh3sh2ph1",
        "mb16ic2ih21oc1oh11kh3sh2ph1", "mb1ic2ih7oc1oh7kh5ph4dh1", "mb1ic2ih9iw40oc1oh9ow40kh1kw3ph0pw1",
        "mb16ic2ih3oc1oh3kh3ph1", "mb1ic2id4ih5iw6oc1od4oh5ow6kd3kh3kw3pd1ph1pw1"}) {
    const Result<Problem> problem = parse_problem(line);
    ASSERT_TRUE(problem) << problem.error().message;
    const ConvProblem conv = problem->conv();
    for (const bool fast : {false, true}) {
      const auto layout = [&](int64_t points, int64_t width) {
        return fast ? fastest_layout(conv.mb, points, width, lanes, CORTEX_SPARSE_VECTORS, 16) : nchw(points);
      };
      const PointLayout in = layout(inputs_of(conv), conv.iw), out = layout(points_of(conv), conv.ow);
      for (const PanelCopies copies :
           {PanelCopies::one, PanelCopies::columns, PanelCopies::lines, PanelCopies::taps}) {
        if (!can_tile(conv, vector, CORTEX_SPARSE_VECTORS, copies, in, out)) continue;
        SCOPED_TRACE(std::string(line) + " " + in.name(inputs_of(conv)));
        const Tiling tiling = cut_tiles(conv, vector, CORTEX_SPARSE_VECTORS, copies, in, out);
        check_cover(conv, tiling, lanes);
        EXPECT_EQ(tiling.tap_offset.size(), static_cast<std::size_t>(conv.kd * conv.kh * conv.kw));
        if (copies == PanelCopies::taps) {
          for (const int64_t at : tiling.tap_offset) EXPECT_EQ(at % lanes, 0);
        }
      }
    }
  }
}

TEST(Tiling, CoversEveryOutputOnce) { check_tilings({16, 4}); }
TEST(Tiling, OfBf16Too) { check_tilings({32, 2}); }
TEST(Tiling, OfBytesToo) { check_tilings({64, 1}); }

}  // namespace
}  // namespace cortex
