// Every brgemm kernel at every edge: all row counts, all column counts, several depths, the three batch
// forms, with and without accumulation, every epilogue, operands pressed against inaccessible pages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "microkernels/brgemm/brgemm_case.h"
#include "support/cpu_model.h"

namespace cortex {
namespace {

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

INSTANTIATE_TEST_SUITE_P(Kernels, BrgemmTest, ::testing::ValuesIn(brgemm_kernels()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace cortex
