// The packing routines against their contract: random boxes of random layouts between guard pages, and the
// shapes that have a fast path, for every ISA this machine has.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "microkernels/catalogue/catalogue.h"
#include "support/testing/guarded_buffer.h"

namespace cortex {
namespace {

using testing::GuardedBuffer;
using testing::Side;

struct Box {
  cortex_pack_desc desc = {};
  std::vector<int64_t> origin, box;
};

int64_t span(const cortex_pack_desc& d) {
  int64_t bytes = d.elem_size;
  for (int j = 0; j < d.rank; ++j) bytes += (d.shape[j] - 1) * d.src_stride[j];
  return bytes;
}

// Calls f(dst offset, src offset or -1) for every element the contract writes.
template <typename F>
void for_each_element(const Box& b, F f) {
  const cortex_pack_desc& d = b.desc;
  std::vector<int64_t> r(static_cast<size_t>(d.rank), 0), count = b.box;
  if (std::any_of(b.box.begin(), b.box.end(), [](int64_t n) { return n <= 0; })) return;
  if (d.panel_dim >= 0) {
    int64_t& n = count[static_cast<size_t>(d.panel_dim)];
    n = (n + d.panel_width - 1) / d.panel_width * d.panel_width;
  }
  while (true) {
    int64_t to = 0, from = 0;
    bool inside = true;
    for (int j = 0; j < d.rank; ++j) {
      const int64_t at = r[static_cast<size_t>(j)], position = b.origin[static_cast<size_t>(j)] + at;
      to += j == d.panel_dim ? at / d.panel_width * d.panel_stride + at % d.panel_width * d.elem_size
                             : at * d.dst_stride[j];
      from += position * d.src_stride[j];
      inside = inside && position >= 0 && position < d.shape[j] && at < b.box[static_cast<size_t>(j)];
    }
    f(to, inside ? from : -1);
    int j = d.rank - 1;
    for (; j >= 0; --j) {
      if (++r[static_cast<size_t>(j)] < count[static_cast<size_t>(j)]) break;
      r[static_cast<size_t>(j)] = 0;
    }
    if (j < 0) return;
  }
}

std::string describe(const Box& b) {
  const cortex_pack_desc& d = b.desc;
  std::string text = fmt::format("elem={} panel_dim={} width={} panel_stride={}", d.elem_size, d.panel_dim,
                                 d.panel_width, d.panel_stride);
  for (int j = 0; j < d.rank; ++j) {
    text += fmt::format(" [shape={} origin={} box={} src={} dst={}]", d.shape[j],
                        b.origin[static_cast<size_t>(j)], b.box[static_cast<size_t>(j)], d.src_stride[j],
                        d.dst_stride[j]);
  }
  return text;
}

class PackTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!supports(GetParam())) GTEST_SKIP() << "this machine has no " << isa_name(GetParam());
  }

  void run(const Box& b) {
    int64_t dst_bytes = 0;
    for_each_element(b, [&](int64_t to, int64_t) { dst_bytes = std::max(dst_bytes, to + b.desc.elem_size); });
    for (Side side : {Side::before, Side::after}) {
      GuardedBuffer src(static_cast<size_t>(span(b.desc)), side), dst(static_cast<size_t>(dst_bytes), side);
      for (size_t i = 0; i < src.size(); ++i) src.as<uint8_t>()[i] = static_cast<uint8_t>(random_() | 1);
      std::memset(dst.data(), 0xa5, dst.size());
      std::vector<uint8_t> expected(dst.size(), 0xa5);
      for_each_element(b, [&](int64_t to, int64_t from) {
        for (int64_t i = 0; i < b.desc.elem_size; ++i) {
          expected[static_cast<size_t>(to + i)] = from < 0 ? 0 : src.as<uint8_t>()[from + i];
        }
      });
      pack_function(GetParam())(&b.desc, src.data(), dst.data(), b.origin.data(), b.box.data());
      const auto differs = std::mismatch(expected.begin(), expected.end(), dst.as<uint8_t>());
      ASSERT_EQ(differs.first, expected.end())
          << describe(b) << " byte " << (differs.first - expected.begin()) << " seed " << seed_;
    }
  }

  int64_t uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  // Strides of a tensor whose dimensions lie in a random order, rows sometimes padded.
  std::vector<int64_t> layout(const std::vector<int64_t>& counts, int64_t elem,
                              const std::vector<int>& order) {
    std::vector<int64_t> strides(counts.size());
    int64_t stride = elem;
    for (auto j = order.rbegin(); j != order.rend(); ++j) {
      strides[static_cast<size_t>(*j)] = stride;
      stride *= counts[static_cast<size_t>(*j)];
      if (uniform(0, 3) == 0) stride += elem * uniform(1, 3);
    }
    return strides;
  }

  Box random_box() {
    Box b;
    cortex_pack_desc& d = b.desc;
    d.rank = static_cast<int32_t>(uniform(1, 5));
    d.elem_size =
        static_cast<int32_t>(std::vector<int64_t>{4, 4, 4, 1, 2, 8, 12}[static_cast<size_t>(uniform(0, 6))]);
    std::vector<int64_t> shape;
    std::vector<int> order(static_cast<size_t>(d.rank));
    std::iota(order.begin(), order.end(), 0);
    const int64_t longest = std::vector<int64_t>{90, 70, 14, 8, 6}[static_cast<size_t>(d.rank - 1)];
    for (int j = 0; j < d.rank; ++j) {
      shape.push_back(uniform(1, longest));
      const bool whole = uniform(0, 1) == 0;
      b.origin.push_back(whole ? 0 : uniform(-3, shape.back() + 1));
      b.box.push_back(whole ? shape.back() : uniform(1, longest));
    }
    if (uniform(0, 1)) std::shuffle(order.begin(), order.end(), random_);
    const std::vector<int64_t> src = layout(shape, d.elem_size, order);
    d.panel_dim = uniform(0, 1) ? static_cast<int32_t>(uniform(0, d.rank - 1)) : -1;
    std::vector<int64_t> counts = b.box;
    if (uniform(0, 1)) std::shuffle(order.begin(), order.end(), random_);
    std::vector<int64_t> dst;
    if (d.panel_dim >= 0) {
      const size_t panel = static_cast<size_t>(d.panel_dim);
      d.panel_width =
          static_cast<int32_t>(std::vector<int64_t>{1, 3, 8, 16, 24, 32}[static_cast<size_t>(uniform(0, 5))]);
      counts[panel] = d.panel_width;
      order.erase(std::find(order.begin(), order.end(), d.panel_dim));
      order.push_back(d.panel_dim);
      dst = layout(counts, d.elem_size, order);
      d.panel_stride = d.elem_size;
      for (size_t j = 0; j < counts.size(); ++j) {
        d.panel_stride = std::max(d.panel_stride, dst[j] * counts[j]);
      }
    } else {
      dst = layout(counts, d.elem_size, order);
    }
    for (int j = 0; j < d.rank; ++j) {
      d.shape[j] = shape[static_cast<size_t>(j)];
      d.src_stride[j] = src[static_cast<size_t>(j)];
      d.dst_stride[j] = j == d.panel_dim ? -1 : dst[static_cast<size_t>(j)];  // a panel dim's is not read
    }
    return b;
  }

  static constexpr unsigned seed_ = 7;
  std::mt19937 random_{seed_};
};

Box make_box(std::vector<int64_t> shape, std::vector<int64_t> src, std::vector<int64_t> origin,
             std::vector<int64_t> box, std::vector<int64_t> dst, int panel_dim = -1, int width = 0,
             int64_t panel_stride = 0) {
  Box b;
  b.desc.rank = static_cast<int32_t>(shape.size());
  b.desc.elem_size = 4;
  for (size_t j = 0; j < shape.size(); ++j) {
    b.desc.shape[j] = shape[j], b.desc.src_stride[j] = src[j] * 4, b.desc.dst_stride[j] = dst[j] * 4;
  }
  b.desc.panel_dim = panel_dim, b.desc.panel_width = width, b.desc.panel_stride = panel_stride * 4;
  b.origin = std::move(origin), b.box = std::move(box);
  return b;
}

TEST_P(PackTest, RandomBoxes) {
  for (int i = 0; i < 3000; ++i) {
    run(random_box());
    if (HasFatalFailure()) return;
  }
}

TEST_P(PackTest, ActivationsWithHalo) {
  for (int64_t c : {1, 3, 16, 17, 64}) {
    run(make_box({9, 11, c}, {11 * c, c, 1}, {-1, -1, 0}, {11, 13, c}, {13 * c, c, 1}));
    run(make_box({9, 11, c}, {11 * c, c, 1}, {3, -2, 0}, {4, 30, c}, {30 * c, c, 1}));
    run(make_box({9, 11, c}, {11 * c, c, 1}, {8, 10, 0}, {3, 3, c}, {3 * (c + 16), c + 16, 1}));
  }
}

TEST_P(PackTest, RowMajorWeightsToPanels) {
  for (int64_t n : {1, 15, 16, 64, 100}) {
    for (int64_t k : {1, 16, 33}) {
      for (int width : {8, 16, 64}) {
        run(make_box({k, n}, {n, 1}, {0, 0}, {k, n}, {width, 0}, 1, width, k * width));
        run(make_box({n, k}, {k, 1}, {0, 0}, {n, k}, {0, width}, 0, width, k * width));  // transposed B
      }
    }
  }
}

TEST_P(PackTest, ConvolutionWeightsToPanels) {
  const int64_t oc = 50, ic = 20, kh = 3, kw = 3;
  for (int width : {16, 64}) {
    const std::vector<int64_t> to = {0, width, kw * ic * width, ic * width};
    run(make_box({oc, ic, kh, kw}, {ic * kh * kw, kh * kw, kw, 1}, {0, 0, 0, 0}, {oc, ic, kh, kw}, to, 0,
                 width,
                 kh * kw * ic * width));  // oihw
    run(make_box({oc, ic, kh, kw}, {1, oc, kw * ic * oc, ic * oc}, {0, 0, 0, 0}, {oc, ic, kh, kw}, to, 0,
                 width,
                 kh * kw * ic * width));  // hwio
  }
}

TEST_P(PackTest, PlainTransposes) {
  for (int64_t a : {1, 7, 16, 100}) {
    for (int64_t b : {1, 9, 16, 130}) run(make_box({a, b}, {b, 1}, {0, 0}, {a, b}, {1, a}));
  }
  run(make_box({2, 19, 49}, {19 * 49, 49, 1}, {0, 0, 0}, {2, 19, 49}, {19 * 49, 1, 19}));  // nchw to nhwc
  run(make_box({2, 49, 19}, {19 * 49, 19, 1}, {0, 0, 0}, {2, 49, 19}, {19 * 49, 1, 49}));  // and back
  run(make_box({30, 40}, {40, 1}, {-2, -3}, {35, 50}, {1, 35}));                           // with a halo
}

TEST_P(PackTest, EmptyBoxWritesNothing) { run(make_box({4, 4}, {4, 1}, {0, 0}, {4, 0}, {4, 1})); }

INSTANTIATE_TEST_SUITE_P(Isas, PackTest, ::testing::Values(Isa::baseline, Isa::avx2, Isa::avx512),
                         [](const auto& test) { return std::string(isa_name(test.param)); });

}  // namespace
}  // namespace cortex
