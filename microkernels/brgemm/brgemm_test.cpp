// Every brgemm kernel at every edge: all row counts, all column counts, several depths, the three batch
// forms, with and without accumulation, every epilogue, operands pressed against inaccessible pages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cfloat>
#include <cstring>
#include <limits>
#include <random>

#include "microkernels/brgemm/brgemm_reference.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/cpu_model.h"
#include "support/testing/guarded_buffer.h"

namespace cortex {
namespace {

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
  bool asks = true;  // for what other calls read
};

// Rows of element b that read inside the window's input: [first, second).
std::pair<int64_t, int64_t> rows_of(const Case& t, int64_t b) {
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
    const int64_t lda = t.k + t.pad, ldb = (kernel.dots ? t.k : t.n) + t.pad, ldc = t.n + t.pad;
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
        "bias_n={} bias_m={} residual={} in_place={} after={} window={},{},{},{},{} seed=1:",
        t.m, t.n, t.k, t.batch, static_cast<int>(t.form), t.accumulate, static_cast<int>(t.side), t.pad,
        t.with_epilogue ? t.epilogue.activation : -1, t.epilogue.alpha, t.bias_n, t.bias_m, t.residual,
        t.residual_is_c, t.epilogue.residual_after_activation, t.window.taps, t.window.at, t.window.step,
        t.window.tap_step, t.window.extent);
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

// One column with adjacent elements: kernels may take it as dot products.
TEST_P(BrgemmTest, OneAdjacentColumn) {
  int turn = 0;
  for (int64_t m = 1; m <= GetParam()->mr; ++m) {
    for (int64_t k : {1, 3, 4, 8, 15, 16, 17, 33, 100}) {
      Case t{m, 1, k, 1 + turn % 3};
      t.form = static_cast<BatchForm>(turn % 3);
      t.accumulate = turn % 2;
      t.side = turn / 2 % 2 ? Side::before : Side::after;
      t.with_epilogue = t.bias_n = t.residual = turn % 5 == 0;
      t.epilogue.residual_scale = 0.5f;
      t.epilogue.activation = CORTEX_ACTIVATION_RELU;
      ++turn;
      run(t);
      if (HasFatalFailure()) return;
    }
  }
}

// What kernels choose by the CPU's prefetchers: rows of dot products side by side or one by one, wide rows of
// B asked for ahead or not.
TEST_P(BrgemmTest, EveryModelOfCpu) {
  const KernelInfo& kernel = *GetParam();
  if (!kernel.dots && kernel.mr > 1) GTEST_SKIP() << "does the same on all";
  for (const int family : {0x19, 0x1a}) {
    SCOPED_TRACE(fmt::format("AMD family {:x}h", family));
    assume_cpu_model({true, family, true});
    int turn = 0;
    for (int64_t m = 1; kernel.dots && m <= kernel.mr; m += 1 + m / 10) {
      for (int64_t k : {63, 64, 65, 80, 96, 97, 127, 128, 200, 256}) {
        Case t{m, 1, k, 1};
        t.form = static_cast<BatchForm>(turn % 3);
        t.accumulate = turn % 2;
        t.side = turn / 2 % 2 ? Side::before : Side::after;
        t.pad = turn % 5 == 0 && k < 250 ? 3 : 0;
        t.with_epilogue = t.bias_n = t.bias_m = t.residual = turn % 7 == 0;
        t.epilogue.residual_scale = 0.5f;
        ++turn;
        run(t);
        if (HasFatalFailure()) break;
      }
    }
    // B beyond 512 KB.
    const int64_t n = kernel.nr, k = (600 << 10) / (4 * n);
    if (!kernel.dots && !HasFatalFailure()) run({1, n, k, 2});
    if (!kernel.dots && !HasFatalFailure()) run({1, n - 3, k + 1, 1});
    if (HasFatalFailure()) break;
  }
  assume_cpu_model(cpu_model());
}

TEST_P(BrgemmTest, EveryTileAgainstGuardPages) {
  int turn = 0;
  for (int64_t m = 1; m <= GetParam()->mr; ++m) {
    for (int64_t n : column_counts()) {
      for (int64_t k : {1, 2, 7, 16, 21}) {
        Case t{m, n, k, 1 + turn / 5 % 3};
        t.form = static_cast<BatchForm>(turn % 3);
        t.accumulate = turn / 3 % 2;
        t.side = turn / 2 % 2 ? Side::before : Side::after;
        t.pad = turn % 5 == 0 ? 3 : 0;
        ++turn;
        run(t);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Whole tiles with nothing to ask for, which kernels may have code of its own for.
TEST_P(BrgemmTest, WholeTilesAlone) {
  const KernelInfo& kernel = *GetParam();
  int turn = 0;
  for (int64_t m = 1; m <= kernel.mr; ++m) {
    for (int64_t k : {0, 1, 3, 4, 5, 8, 17, 64, 131}) {
      for (const int activation :
           {-1, static_cast<int>(CORTEX_ACTIVATION_NONE), static_cast<int>(CORTEX_ACTIVATION_RELU),
            static_cast<int>(CORTEX_ACTIVATION_CLIP)}) {
        Case t{m, kernel.nr, k, 1};
        t.asks = false;
        t.side = turn % 2 ? Side::before : Side::after;
        t.pad = turn / 2 % 2 ? 5 : 0;
        t.with_epilogue = activation >= 0;
        t.epilogue.activation = std::max(activation, 0);
        t.epilogue.alpha = turn % 5 == 0 ? 0.25f : 0.0f;
        t.epilogue.beta = 1.0f;
        t.bias_n = turn % 3 > 0;
        t.bias_m = turn % 7 == 0;
        ++turn;
        run(t);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(BrgemmTest, BatchFormsAgree) {
  const KernelInfo& kernel = *GetParam();
  for (BatchForm form : {BatchForm::strides, BatchForm::offsets, BatchForm::addresses}) {
    for (int64_t batch : {1, 2, 3, 5, 9}) {
      for (bool accumulate : {false, true}) {
        for (Side side : {Side::before, Side::after}) {
          run({kernel.mr, kernel.nr, 13, batch, form, accumulate, side});
          run({kernel.mr, kernel.nr - 1, 64, batch, form, accumulate, side});
        }
      }
    }
  }
}

// Windows that hang over their input on either side, or on both, or lie outside.
TEST_P(BrgemmTest, WindowsOverTheEdge) {
  if (GetParam()->dots) GTEST_SKIP() << "knows no window";
  int turn = 0;
  for (int64_t m = 1; m <= GetParam()->mr; ++m) {
    for (int64_t n : {int64_t{GetParam()->nr}, int64_t{GetParam()->nr - 1}, int64_t{5}, int64_t{1}}) {
      for (const auto& [taps, step, tap_step] : {std::array<int64_t, 3>{3, 1, 1},
                                                 {3, 2, 1},
                                                 {2, 1, 3},
                                                 {5, 3, 2},
                                                 {1, 1, 1},
                                                 {7, 2, 1},
                                                 {3, 1, 0}}) {
        for (int64_t at : {0, -1, -2, -3, -7}) {
          const int64_t last = at + (m - 1) * step + (taps - 1) * tap_step;
          for (int64_t over : {0, 1, 2, 5, 9}) {
            Case t{m, n, 9, taps * (1 + turn % 3)};
            t.window = {taps, at, step, tap_step, std::max<int64_t>(1, last + 1 - over)};
            t.form = taps == 1 ? BatchForm::strides : turn % 2 ? BatchForm::offsets : BatchForm::addresses;
            t.accumulate = turn / 2 % 2;
            t.side = turn / 4 % 2 ? Side::before : Side::after;
            t.pad = turn % 5 == 0 ? 3 : 0;
            t.with_epilogue = t.bias_n = turn % 3 == 0;
            t.residual = t.residual_is_c = turn % 6 == 0;
            t.epilogue.residual_scale = 0.5f;
            t.epilogue.activation = CORTEX_ACTIVATION_RELU;
            turn += 1 + (n + at + over == 0);
            run(t);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST_P(BrgemmTest, EmptySumIsZeroOrLeavesC) {
  const KernelInfo& kernel = *GetParam();
  for (bool accumulate : {false, true}) {
    for (BatchForm form : {BatchForm::strides, BatchForm::offsets, BatchForm::addresses}) {
      run({kernel.mr, kernel.nr, 5, 0, form, accumulate});
      run({kernel.mr, kernel.nr - 1, 0, 3, form, accumulate});
      Case t{1, kernel.nr - 1, 0, 2, form, accumulate};
      t.with_epilogue = t.bias_n = true;
      run(t);
    }
  }
}

TEST_P(BrgemmTest, LongSums) {
  const KernelInfo& kernel = *GetParam();
  for (int64_t k : {255, 256, 1000}) run({kernel.mr, kernel.nr, k, 4});
}

TEST_P(BrgemmTest, EveryEpilogue) {
  const KernelInfo& kernel = *GetParam();
  for (int activation = CORTEX_ACTIVATION_NONE; activation <= CORTEX_ACTIVATION_GELU_TANH; ++activation) {
    for (int steps = 0; steps < 32; ++steps) {
      for (int64_t m : {int64_t{1}, int64_t{kernel.mr}}) {
        for (int64_t n : {int64_t{kernel.nr}, int64_t{kernel.nr - 1}, int64_t{1}}) {
          Case t{m, n, 11, 2};
          t.with_epilogue = true;
          t.accumulate = steps % 3 == 0;
          t.side = steps % 2 ? Side::before : Side::after;
          t.bias_n = steps & 1, t.bias_m = steps & 2, t.residual = steps & 4;
          t.epilogue.residual_after_activation = (steps & 8) != 0;
          t.residual_is_c = t.residual && (steps & 16);
          t.epilogue.residual_scale = steps % 5 ? 0.75f : 1.0f;
          t.epilogue.activation = activation;
          t.epilogue.alpha = activation == CORTEX_ACTIVATION_CLIP ? -0.5f : steps % 2 ? 0.1f : 0.0f;
          t.epilogue.beta = 1.5f;
          run(t);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(BrgemmTest, NotANumberPassesThroughActivations) {
  const KernelInfo& kernel = *GetParam();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a(static_cast<std::size_t>(kernel.mr), 1.0f);
  std::vector<float> b(static_cast<std::size_t>(kernel.nr), 1.0f);
  b[0] = nan;
  std::vector<float> c(static_cast<std::size_t>(kernel.mr * kernel.nr));
  for (int activation = CORTEX_ACTIVATION_NONE; activation <= CORTEX_ACTIVATION_GELU_TANH; ++activation) {
    cortex_brgemm_args args = {};
    args.a = a.data(), args.b = b.data(), args.c = c.data();
    args.m = kernel.mr, args.n = kernel.nr, args.k = 1, args.batch = 1;
    args.lda = 4, args.ldb = kernel.dots ? 4 : kernel.nr * 4, args.ldc = kernel.nr * 4;
    args.flags = CORTEX_TILE_EPILOGUE;
    args.epilogue.activation = activation;
    args.epilogue.beta = 2;
    kernel.brgemm(&args);
    EXPECT_TRUE(std::isnan(c[0])) << "activation " << activation;
    EXPECT_FALSE(std::isnan(c[1])) << "activation " << activation;
  }
}

std::vector<const KernelInfo*> brgemm_kernels() {
  std::vector<const KernelInfo*> kernels;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (kernel.op == KernelOp::brgemm && kernel.kr == 1) kernels.push_back(&kernel);
  }
  return kernels;
}

INSTANTIATE_TEST_SUITE_P(Kernels, BrgemmTest, ::testing::ValuesIn(brgemm_kernels()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace cortex
