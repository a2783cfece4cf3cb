// Orders of output channels: what they keep, and that networks compute what they did.
#include "graph/compress/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "graph/compress/filters_test.h"
#include "graph/compress/network.h"
#include "graph/compress/prune.h"

namespace cortex {
namespace {

double kept(const FilterMatrix& w, const WeightFormat& f, double keep) {
  const Result<FilterMatrix> p = prune(w, f, keep);
  EXPECT_TRUE(p.ok());
  return magnitude(*p) / magnitude(w);
}

Order shuffled(int64_t size, uint32_t seed) {
  Order order = identity_order(size);
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  return order;
}

bool is_permutation_of_all(Order order) {
  const Order all = identity_order(static_cast<int64_t>(order.size()));
  std::sort(order.begin(), order.end());
  return order == all;
}

Result<Order> order_of(const FilterMatrix& w, const WeightFormat& f, double keep, uint64_t seed = 1) {
  const FilterMatrix* one[] = {&w};
  return order_rows(one, f, keep, {seed, 1e8});
}

TEST(Order, NeverKeepsLess) {
  for (const char* name : {"nm2of8x2", "nm1of4x4", "nm3of4x2", "bs4x1", "bs2x3"}) {
    for (const int64_t rows : {1, 2, 5, 32, 47}) {
      const FilterMatrix w = gaussian(rows, 9, 11, static_cast<uint32_t>(rows));
      const Result<Order> order = order_of(w, format(name), 0.25);
      ASSERT_TRUE(order.ok()) << name;
      EXPECT_TRUE(is_permutation_of_all(*order)) << name << " " << rows;
      const double before = kept(w, format(name), 0.25);
      const double after = kept(reorder_rows(w, *order), format(name), 0.25);
      EXPECT_GE(after, before) << name << " " << rows;
      if (rows >= 32) {
        EXPECT_GT(after, 1.01 * before) << name << " " << rows;
      }
      EXPECT_EQ(*order, *order_of(w, format(name), 0.25)) << "not the same twice";
    }
  }
}

// Rows that had the format before they were shuffled lose nothing once they are ordered.
TEST(Order, FindsShuffledGroupsAgain) {
  for (const char* name : {"nm2of8x2", "nm2of8x4", "nm1of4x4", "bs4x1", "bs2x4"}) {
    for (const int64_t rows : {64, 62, 256}) {
      const FilterMatrix w = *prune(gaussian(rows, 1, 64, 7), format(name), 0.25);
      const FilterMatrix mixed = reorder_rows(w, shuffled(rows, 3));
      ASSERT_LT(kept(mixed, format(name), 0.25), 0.9) << name;
      const Result<Order> order = order_of(mixed, format(name), 0.25);
      ASSERT_TRUE(order.ok());
      EXPECT_NEAR(kept(reorder_rows(mixed, *order), format(name), 0.25), 1, 1e-12) << name << " " << rows;
    }
  }
}

TEST(Order, IsNoMatterToRowsThatChooseAlone) {
  const FilterMatrix w = gaussian(24, 1, 16, 5);
  for (const char* name : {"nm2of4", "unstructured", "bs1x4", "cc4", "dense"})
    EXPECT_EQ(*order_of(w, format(name), 0.5), identity_order(24)) << name;
}

TEST(Order, RefusesMatricesOfUnequalRows) {
  const FilterMatrix a = gaussian(8, 1, 8, 1), b = gaussian(6, 1, 8, 1);
  const FilterMatrix* two[] = {&a, &b};
  EXPECT_FALSE(order_rows(two, format("nm2of4x2"), 1, {}).ok());
  EXPECT_FALSE(order_rows({}, format("nm2of4x2"), 1, {}).ok());
  EXPECT_FALSE(order_of(a, format("bs4x1"), 0).ok());
}

// A convolution in integers: [channel][y][x], 3x3 windows padded by one or 1x1, whole numbers for weights.
using Planes = std::vector<std::vector<int64_t>>;
constexpr int64_t side = 5;

Planes convolve(const FilterMatrix& w, const Planes& in) {
  const int64_t taps = w.columns / w.channels, k = taps == 9 ? 3 : 1, pad = k / 2;
  Planes out(static_cast<std::size_t>(w.rows), std::vector<int64_t>(side * side));
  for (int64_t r = 0; r < w.rows; ++r)
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x)
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t iy = y + tap / k - pad, ix = x + tap % k - pad;
          if (iy < 0 || iy >= side || ix < 0 || ix >= side) continue;
          for (int64_t c = 0; c < w.channels; ++c)
            out[r][y * side + x] +=
                static_cast<int64_t>(w.at(r, tap * w.channels + c)) * in[c][iy * side + ix];
        }
  return out;
}

Planes relu_of_sum(const Planes& a, const Planes& b) {
  Planes out = a;
  for (std::size_t c = 0; c < a.size(); ++c)
    for (std::size_t i = 0; i < a[c].size(); ++i) out[c][i] = std::max<int64_t>(0, a[c][i] + b[c][i]);
  return out;
}

FilterMatrix whole_numbers(FilterMatrix w) {
  for (float& v : w.values) v = std::round(4 * v);
  return w;
}

// in -> a -> b; (in -> c) + b -> d -> out: b and c share an order, d is nobody's to read.
struct Block {
  std::vector<FilterMatrix> w = {whole_numbers(gaussian(16, 9, 6, 1)), whole_numbers(gaussian(24, 1, 16, 2)),
                                 whole_numbers(gaussian(24, 1, 6, 3)), whole_numbers(gaussian(8, 9, 24, 4))};
  std::vector<Reads> reads = {{1, 0}, {3, 1}, {3, 2}};
  std::vector<std::string> names = {"a", "b", "c", "d"};
  std::vector<const FilterMatrix*> pointers() const {
    std::vector<const FilterMatrix*> all;
    for (const FilterMatrix& m : w) all.push_back(&m);
    return all;
  }
};

Planes run(const std::vector<const FilterMatrix*>& w) {
  Planes in(6, std::vector<int64_t>(side * side));
  std::mt19937 random(9);
  for (auto& plane : in)
    for (int64_t& v : plane) v = static_cast<int64_t>(random() % 7) - 3;
  const Planes zero(16, std::vector<int64_t>(side * side));
  const Planes b = convolve(*w[1], relu_of_sum(convolve(*w[0], in), zero));
  return convolve(*w[3], relu_of_sum(b, convolve(*w[2], in)));
}

TEST(Network, ComputesWhatItDid) {
  const Block block;
  const Result<std::vector<SharedOrder>> sets = shared_orders(block.names, block.pointers(), block.reads);
  ASSERT_TRUE(sets.ok());
  ASSERT_EQ(sets->size(), 2u);
  EXPECT_EQ((*sets)[1].producers, (std::vector<int64_t>{1, 2}));
  for (const char* name : {"nm2of8x2", "nm1of4x4", "bs4x1"}) {
    const Result<std::vector<LayerOrder>> ordered =
        order_layers(block.pointers(), *sets, format(name), 0.25, {1, 1e7});
    ASSERT_TRUE(ordered.ok());
    EXPECT_NE((*ordered)[0].rows, identity_order(16)) << name;
    EXPECT_EQ((*ordered)[0].rows, (*ordered)[1].channels);
    EXPECT_EQ((*ordered)[1].rows, (*ordered)[2].rows);
    EXPECT_EQ((*ordered)[1].rows, (*ordered)[3].channels);
    EXPECT_EQ((*ordered)[3].rows, identity_order(8)) << "its output is the network's";
    std::vector<const FilterMatrix*> after;
    double before_all = 0, after_all = 0;
    for (std::size_t l = 0; l < 4; ++l) {
      const LayerOrder& o = (*ordered)[l];
      after.push_back(&o.weights);
      EXPECT_EQ(o.weights.values, reorder_channels(reorder_rows(block.w[l], o.rows), o.channels).values);
      EXPECT_NEAR(o.kept, kept(o.weights, format(name), 0.25), 1e-12);
      EXPECT_NEAR(o.kept_before, kept(block.w[l], format(name), 0.25), 1e-12);
      before_all += o.kept_before * magnitude(block.w[l]);
      after_all += o.kept * magnitude(block.w[l]);
    }
    EXPECT_GT(after_all, before_all) << name;
    EXPECT_EQ(run(after), run(block.pointers())) << name;
  }
}

TEST(Network, RefusesWhatIsNone) {
  const Block block;
  const auto refusal = [&](std::vector<Reads> reads) {
    const auto sets = shared_orders(block.names, block.pointers(), reads);
    return sets ? std::string() : sets.error().message;
  };
  EXPECT_NE(refusal({{0, 0}}).find("a reads itself"), std::string::npos);
  EXPECT_NE(refusal({{2, 0}}).find("layer c has 6 input channels, but layer a"), std::string::npos);
  EXPECT_NE(refusal({{1, 0}, {1, 0}}).find("said twice"), std::string::npos);
  const FilterMatrix square = gaussian(8, 1, 8, 1);
  const auto cycle = shared_orders({"x", "y"}, {&square, &square}, {{0, 1}, {1, 0}});
  ASSERT_FALSE(cycle.ok());
  EXPECT_NE(cycle.error().message.find("reads its own output"), std::string::npos);
}

}  // namespace
}  // namespace cortex
