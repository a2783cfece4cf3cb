// One call of an f32 brgemm kernel against its contract, operands pressed against inaccessible pages.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cstring>
#include <limits>
#include <random>

#include "microkernels/brgemm/brgemm_reference.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/testing/guarded_buffer.h"

namespace cortex {

using testing::GuardedBuffer;
using testing::Side;

enum class BatchForm { strides, offsets, addresses };

struct Case {
  int64_t m, n, k, batch;
  BatchForm form = BatchForm::strides;
  bool accumulate = false;
  Side side = Side::after;
  int64_t pad = 0;  // elements between rows of A, B and C beyond the tile
  cortex_epilogue epilogue = {};
  bool with_epilogue = false, bias_n = false, bias_m = false, residual = false, residual_is_c = false;
  cortex_row_window window = {};
  int64_t bands = 0;
  bool asks = true;   // for what other calls read
  int c_far = -1;     // -1: any
  int64_t c_pad = 0;  // elements between rows of C beyond those of `pad`
};

// Rows of element b that read inside the window's input: [first, second).
inline std::pair<int64_t, int64_t> rows_of(const Case& t, int64_t b) {
  if (t.window.taps == 0) return {0, t.m};
  std::pair<int64_t, int64_t> rows{t.m, t.m};
  for (int64_t i = t.m - 1; i >= 0; --i) {
    const int64_t position = t.window.at + t.window.step * i + t.window.tap_step * (b % t.window.taps);
    if (position >= t.window.extent) rows = {i, i};
    if (position >= 0 && position < t.window.extent) rows.first = i;
  }
  return rows;
}

class BrgemmTest : public ::testing::TestWithParam<const KernelInfo*> {
 protected:
  void SetUp() override {
    if (!supports(GetParam()->isa)) GTEST_SKIP() << "this machine has no " << isa_name(GetParam()->isa);
  }
  void TearDown() override {
    if (!IsSkipped()) fmt::print("[  RATIO   ] largest error is {:.3f} of its bound\n", largest_ratio_);
  }

  void fill(GuardedBuffer& buffer) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (std::size_t i = 0; i < buffer.size() / 4; ++i) buffer.as<float>()[i] = uniform(random_);
  }

  void run(const Case& t) {
    const KernelInfo& kernel = *GetParam();
    // Rows end where the buffer ends: the last row carries no padding.
    const int64_t lda = t.k + t.pad, ldb = (kernel.dots ? t.k : t.n) + t.pad, ldc = t.n + t.pad + t.c_pad;
    const auto bytes = [](int64_t rows, int64_t pitch, int64_t row) {
      return static_cast<std::size_t>(rows > 0 && row > 0 ? ((rows - 1) * pitch + row) * 4 : 0);
    };
    // A holds the rows that count and no others.
    std::vector<int64_t> a_starts;  // row of A that stands for row 0 of each element
    int64_t a_rows = 0;
    for (int64_t i = t.batch - 1; i >= 0; --i) {
      const auto [first, end] = rows_of(t, i);
      a_starts.insert(a_starts.begin(), a_rows - first);
      a_rows += end - first;
    }
    const auto b_at = [&](int64_t element) { return element * (kernel.dots ? t.n : t.k) * ldb * 4; };
    const int64_t b_rows = t.batch * (kernel.dots ? t.n : t.k), b_row = kernel.dots ? t.k : t.n;
    GuardedBuffer a(bytes(a_rows, lda, t.k), t.side), b(bytes(b_rows, ldb, b_row), t.side);
    GuardedBuffer c(bytes(t.m, ldc, t.n), t.side), residual(bytes(t.m, ldc, t.n), t.side);
    GuardedBuffer bias_n(bytes(1, t.n, t.n), t.side), bias_m(bytes(1, t.m, t.m), t.side);
    for (GuardedBuffer* buffer : {&a, &b, &c, &residual, &bias_n, &bias_m}) fill(*buffer);

    cortex_brgemm_args args = {};
    args.a = a.data(), args.b = b.data(), args.c = c.data();
    args.m = t.m, args.n = t.n, args.k = t.k;
    args.lda = lda * 4, args.ldb = ldb * 4, args.ldc = ldc * 4;
    args.batch = t.batch;
    // What comes next may be anywhere: up to the last row's worth of rows behind the operand's guard page.
    args.next = b.as<char>() + b.size() - 4;
    args.next_ld = ldb * 4;
    args.next_rows = (t.m * 5 + t.n) % 23;
    args.a_ahead = t.k % 2 ? 0 : t.m * lda * 4;
    args.b_ahead = t.k % 3 ? 0 : 32 * ldb * 4;
    args.c_far = static_cast<uint32_t>(t.m + t.n) % 3;
    if (!t.asks) args.next_rows = args.a_ahead = args.b_ahead = args.c_far = 0;
    if (t.c_far >= 0) args.c_far = static_cast<uint32_t>(t.c_far);
    // Odd batch order for offsets and addresses, so that a kernel that ignores them is found out.
    std::vector<int64_t> a_offsets, b_offsets;
    std::vector<const void*> a_addresses, b_addresses;
    for (int64_t i = 0; i < t.batch; ++i) {
      a_offsets.push_back(a_starts[static_cast<std::size_t>(i)] * lda * 4);
      b_offsets.push_back(b_at((i + 1) % t.batch));
      a_addresses.push_back(a.as<char>() + a_offsets.back());
      b_addresses.push_back(b.as<char>() + b_offsets.back());
    }
    if (t.form == BatchForm::strides) {
      // One stride for all: only windows of one tap come this way.
      const auto [first, end] = rows_of(t, 0);
      args.a = a.as<char>() - first * lda * 4;
      args.a_batch_stride = (end - first) * lda * 4, args.b_batch_stride = b_at(1);
    } else if (t.form == BatchForm::offsets) {
      args.a_offsets = a_offsets.data(), args.b_offsets = b_offsets.data();
    } else {
      args.a = args.b = nullptr;
      args.a_addresses = a_addresses.data(), args.b_addresses = b_addresses.data();
    }
    args.window = t.window;
    args.bands = t.bands;
    if (t.accumulate) args.flags |= CORTEX_TILE_ACCUMULATE;
    args.epilogue = t.epilogue;
    if (t.with_epilogue) args.flags |= CORTEX_TILE_EPILOGUE;
    if (t.bias_n) args.epilogue.bias_n = bias_n.as<float>();
    if (t.bias_m) args.epilogue.bias_m = bias_m.as<float>();
    if (t.residual) args.epilogue.residual = t.residual_is_c ? c.as<float>() : residual.as<float>();
    args.epilogue.ld_residual = ldc * 4;
    const bool c_is_input = t.accumulate || t.residual_is_c;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    if (!c_is_input) std::fill_n(c.as<float>(), c.size() / 4, nan);

    const std::vector<float> before(c.as<float>(), c.as<float>() + c.size() / 4);
    const testing::ReferenceTile expected = testing::brgemm_reference(args, before.data(), kernel.dots);
    kernel.brgemm(&args);

    const double terms = static_cast<double>(t.batch * t.k) + 8;
    const double gamma = terms * FLT_EPSILON / 2 / (1 - terms * FLT_EPSILON / 2);
    for (int64_t i = 0; i < t.m; ++i) {
      for (int64_t j = 0; j < ldc; ++j) {
        const std::size_t at = static_cast<std::size_t>(i * ldc + j);
        if (j >= t.n) {  // between rows: not the kernel's
          if (at < before.size()) {
            ASSERT_EQ(0, std::memcmp(&before[at], c.as<float>() + at, 4))
                << describe(t) << " wrote past row " << i;
          }
          continue;
        }
        const std::size_t e = static_cast<std::size_t>(i * t.n + j);
        const double error = std::abs(static_cast<double>(c.as<float>()[at]) - expected.value[e]);
        const double bound = gamma * expected.magnitude[e] + FLT_MIN;
        largest_ratio_ = std::max(largest_ratio_, error / bound);
        ASSERT_LE(error, bound) << describe(t) << " element " << i << "," << j << " got " << c.as<float>()[at]
                                << " want " << expected.value[e];
      }
    }
  }

  static std::string describe(const Case& t) {
    return fmt::format(
        "m={} n={} k={} batch={} form={} accumulate={} side={} pad={} activation={} alpha={} "
        "bias_n={} bias_m={} residual={} in_place={} after={} window={},{},{},{},{} bands={} c_far={} "
        "c_pad={} seed=1:",
        t.m, t.n, t.k, t.batch, static_cast<int>(t.form), t.accumulate, static_cast<int>(t.side), t.pad,
        t.with_epilogue ? t.epilogue.activation : -1, t.epilogue.alpha, t.bias_n, t.bias_m, t.residual,
        t.residual_is_c, t.epilogue.residual_after_activation, t.window.taps, t.window.at, t.window.step,
        t.window.tap_step, t.window.extent, t.bands, t.c_far, t.c_pad);
  }

  // All column counts of a tile; for wide tiles the counts around every vector's edge, for the widest those
  // of some vectors.
  std::vector<int64_t> column_counts() const {
    const KernelInfo& kernel = *GetParam();
    std::vector<int64_t> counts;
    for (int64_t n = 1; n <= kernel.nr; ++n) {
      const int64_t lane = n % kernel.lanes;
      const int64_t vector = n / kernel.lanes;
      if (vector > 40 && vector % 31 && n < kernel.nr - kernel.lanes) continue;
      if (kernel.nr <= 64 || n <= kernel.lanes || lane <= 1 || lane == kernel.lanes - 1) counts.push_back(n);
    }
    return counts;
  }

  std::mt19937 random_{1};
  double largest_ratio_ = 0;
};

inline std::vector<const KernelInfo*> brgemm_kernels() {
  std::vector<const KernelInfo*> kernels;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (kernel.op == KernelOp::brgemm && kernel.kr == 1) kernels.push_back(&kernel);
  }
  return kernels;
}

}  // namespace cortex
