#include "polyopt/model/footprint.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace cortex {
namespace {

Layout layout(std::vector<std::pair<int, double>> terms) {
  Layout l;
  l.way_bytes = {4096, 65536};
  l.line_rows = true;
  for (auto [dim, stride] : terms) {
    l.dim[l.count] = dim;
    l.stride[l.count++] = stride;
  }
  return l;
}

TEST(Footprint, ContiguousRowsMerge) {
  const double length[] = {4, 64};  // m, k of a dense 4 x 64 matrix
  EXPECT_EQ(footprint(layout({{1, 4}, {0, 256}}), length).bytes, 1024);
  EXPECT_EQ(footprint(layout({{1, 4}, {0, 256}}), length).run, 1024);
}

TEST(Footprint, ColumnsOfAWideMatrixTakeWholeLinesAndCrowd) {
  const double length[] = {100, 8};  // 100 rows of 8 columns, 1024 columns apart
  const Footprint f = footprint(layout({{1, 4}, {0, 4096}}), length);
  EXPECT_EQ(f.bytes, 100 * 64);
  EXPECT_EQ(f.run, 32);
  EXPECT_EQ(f.room[0], 100 * 4096);  // every row falls into the same sets of L1
  EXPECT_EQ(f.room[1], 100 * 4096);
  const Footprint odd = footprint(layout({{1, 4}, {0, 4096 + 64}}), length);
  EXPECT_EQ(odd.room[0], 100 * 64);  // one line further each time: no two rows meet
}

TEST(Footprint, SlidingWindowsOverlap) {
  // 14 outputs and a window of 3, stride 1, over pixels of 16 channels: 16 pixels.
  const double length[] = {14, 3, 16};
  EXPECT_EQ(footprint(layout({{2, 4}, {0, 64}, {1, 64}}), length).bytes, 16 * 64);
  // Stride 2: outputs 128 bytes apart, 29 pixels.
  EXPECT_EQ(footprint(layout({{2, 4}, {1, 64}, {0, 128}}), length).bytes, 29 * 64);
  // Whole rows of 4096 bytes slide the same way.
  EXPECT_EQ(footprint(layout({{2, 4}, {1, 4096}, {0, 4096}}), length).bytes, 16 * 64);
}

TEST(Footprint, StridedPixelsAreRowsOfTheirOwn) {
  const double length[] = {14, 16};  // stride 2, no window: every second pixel
  const Footprint f = footprint(layout({{1, 4}, {0, 128}}), length);
  EXPECT_EQ(f.bytes, 14 * 64);
  EXPECT_EQ(f.run, 64);
}

// Against the set of lines touched. Overlap between rows may be counted twice by the closed form, never
// missed by more than the line a run shares with its neighbour.
TEST(Footprint, CoversWhatEnumerationTouches) {
  const unsigned seed = 7;
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    double stride = 4;
    Layout l = layout({});
    double length[3];
    for (int i = 0; i < 3; ++i) {
      length[i] = 1.0 + static_cast<double>(random() % 6);
      l.dim[i] = i;
      l.stride[i] = stride;
      l.count++;
      stride *= length[i] * (1.0 + static_cast<double>(random() % 3));
    }
    l.line_rows = false;
    std::set<int64_t> bytes;
    for (int x = 0; x < length[0]; ++x) {
      for (int y = 0; y < length[1]; ++y) {
        for (int z = 0; z < length[2]; ++z) {
          const auto at = static_cast<int64_t>(x * l.stride[0] + y * l.stride[1] + z * l.stride[2]);
          for (int b = 0; b < 4; ++b) bytes.insert(at + b);
        }
      }
    }
    const Footprint f = footprint(l, length);
    const double elements = static_cast<double>(bytes.size());
    EXPECT_GE(f.bytes, elements) << "seed " << seed << ", round " << round;
    EXPECT_LE(f.bytes, elements * 16) << "seed " << seed << ", round " << round;
  }
}

}  // namespace
}  // namespace cortex
