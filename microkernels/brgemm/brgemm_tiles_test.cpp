// Whole tiles of brgemm kernels, alone or several of them in a call.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "microkernels/brgemm/brgemm_case.h"

namespace cortex {
namespace {

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

// More rows than a tile has, in as few tiles as can be or in more, with all that a call can ask for.
TEST_P(BrgemmTest, TilesBelowOneAnother) {
  const KernelInfo& kernel = *GetParam();
  if (kernel.dots || kernel.sums_in_l1 || kernel.tiles) GTEST_SKIP() << "takes no more rows than a tile has";
  int turn = 0;
  for (int64_t m : {kernel.mr + 1, 2 * kernel.mr, 3 * kernel.mr - 1, 5 * kernel.mr + 2}) {
    for (int64_t n : {kernel.nr, kernel.nr - kernel.lanes, kernel.nr - 1, kernel.lanes}) {
      if (n <= 0) continue;
      for (int64_t bands : {int64_t{0}, m / kernel.mr, m / 2, m + 3}) {
        for (int64_t k : {1, 9, 24}) {
          Case t{m, n, k, turn % 4 ? 1 : 3};
          t.bands = bands;
          t.asks = turn % 3 > 0;
          t.form = turn % 5 > 2 ? BatchForm::offsets : BatchForm::strides;
          t.accumulate = turn % 7 > 4;
          t.side = turn / 2 % 2 ? Side::before : Side::after;
          t.pad = turn / 3 % 2 ? 5 : 0;
          t.with_epilogue = turn % 11 > 1;
          t.bias_n = turn % 11 > 2;
          t.bias_m = turn % 11 == 4;
          t.residual = turn % 11 > 8;
          t.residual_is_c = turn % 22 > 19;
          t.epilogue.residual_scale = 0.5f;
          t.epilogue.activation = turn % 11 > 5 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
          ++turn;
          run(t);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

// What calls have beside their sizes is drawn, so that no two of them always go together.
struct Draw {
  std::mt19937 random{7};
  bool one_in(unsigned times) { return random() % times == 0; }
  // Rows of C that begin anywhere, or with lines, which c_far 2 takes to be written past the caches.
  int64_t c_pad(const Case& t) { return one_in(3) ? 1 : one_in(2) ? 15 - (t.n + t.pad + 15) % 16 : 0; }
  void epilogue(Case& t) {
    t.with_epilogue = !one_in(4);
    t.bias_n = !one_in(3);
    t.residual = one_in(13);
    t.epilogue.residual_scale = 0.5f;
    t.epilogue.activation = one_in(2) ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
    t.epilogue.alpha = one_in(9) ? 0.25f : 0.0f;
  }
};

// Products of several elements of whole vectors, B in panels: what first layers of networks are.
TEST_P(BrgemmTest, BatchesOfTilesBelowOneAnother) {
  const KernelInfo& kernel = *GetParam();
  if (kernel.dots || kernel.sums_in_l1 || kernel.tiles) GTEST_SKIP() << "takes no more rows than a tile has";
  Draw draw;
  for (int64_t m : {kernel.mr + 1, 3 * kernel.mr - 1, 4 * kernel.mr}) {
    for (int64_t n = kernel.lanes; n <= kernel.nr; n += kernel.lanes) {
      for (int64_t k : {1, 9, 21, 33}) {
        for (int64_t batch : {0, 1, 2, 5}) {
          for (int c_far : {0, 1, 2}) {
            Case t{m, n, k, batch};
            t.pad = kernel.nr - n;
            t.c_far = c_far;
            t.c_pad = draw.c_pad(t);
            t.asks = draw.one_in(2);
            t.form = draw.one_in(3) ? BatchForm::offsets : BatchForm::strides;
            t.side = draw.one_in(2) ? Side::after : Side::before;
            t.accumulate = draw.one_in(7);
            draw.epilogue(t);
            run(t);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

TEST_P(BrgemmTest, WindowsOfTilesBelowOneAnother) {
  const KernelInfo& kernel = *GetParam();
  if (kernel.dots || kernel.sums_in_l1 || kernel.tiles) GTEST_SKIP() << "takes no more rows than a tile has";
  const int64_t mr = kernel.mr;
  Draw draw;
  for (int64_t m : {mr + 1, 3 * mr, 6 * mr + 1}) {
    for (int64_t at : {int64_t{0}, int64_t{-1}, -mr - 1, -2 * m - 9}) {
      for (int64_t over : {int64_t{0}, int64_t{1}, mr + 2, 2 * m}) {
        for (int64_t step : {1, 2}) {
          for (int64_t tap_step : {1, 3}) {
            Case t{m, draw.one_in(3) ? kernel.lanes : kernel.nr, draw.one_in(2) ? 9 : 17,
                   draw.one_in(4) ? 6 : 3};
            t.window = {3, at, step, tap_step,
                        std::max<int64_t>(1, at + (m - 1) * step + 2 * tap_step + 1 - over)};
            t.form = BatchForm::offsets;
            t.side = draw.one_in(2) ? Side::after : Side::before;
            t.pad = draw.one_in(5) ? 3 : kernel.nr - t.n;
            t.bands = draw.one_in(7) ? m / 2 : 0;
            t.asks = draw.one_in(2);
            t.c_far = draw.one_in(3) ? 2 : 0;
            t.c_pad = draw.c_pad(t);
            t.accumulate = draw.one_in(11);
            draw.epilogue(t);
            run(t);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
}

// Narrow types: the same bits as a call for each tile.
TEST(NarrowTiles, BelowOneAnotherAreCallsForEach) {
  std::mt19937 random{3};
  const auto bytes = [&](int64_t size) {
    std::vector<uint8_t> out(static_cast<std::size_t>(size));
    // Small integers, and as bf16 numbers around one.
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i % 2 ? 0x3f : static_cast<uint8_t>(random() % 128);
    return out;
  };
  int kernels = 0;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (kernel.op != KernelOp::brgemm || kernel.kr == 1 || kernel.tiles || kernel.dots) continue;
    if (!supports(kernel.isa)) continue;
    ++kernels;
    for (const int64_t m : {kernel.mr + 1, 3 * kernel.mr - 1}) {
      for (const int64_t bands : {int64_t{-2}, int64_t{0}, m / 2, INT64_MAX}) {
        const int64_t n = kernel.nr - 1, k = 21;
        const std::vector<uint8_t> a = bytes(m * k * 4), b = bytes(k * n * 4);
        std::vector<uint32_t> at_once(static_cast<std::size_t>(m * n), 7), one_by_one = at_once;
        cortex_brgemm_args args = {};
        args.a = a.data(), args.b = b.data(), args.c = at_once.data();
        args.m = m, args.n = n, args.k = k, args.batch = 1, args.bands = bands;
        args.lda = k * 4, args.ldb = args.ldc = n * 4;
        kernel.brgemm(&args);
        args.bands = 0, args.m = 1;
        for (int64_t i = 0; i < m; ++i) {
          args.a = a.data() + i * k * 4, args.c = one_by_one.data() + i * n;
          kernel.brgemm(&args);
        }
        ASSERT_EQ(at_once, one_by_one) << kernel.name << " m=" << m << " bands=" << bands;
      }
    }
  }
  EXPECT_GT(kernels, 1);
}

INSTANTIATE_TEST_SUITE_P(Kernels, BrgemmTest, ::testing::ValuesIn(brgemm_kernels()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace cortex
