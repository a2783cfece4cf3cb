// Kernels of narrow types at every edge: all row counts, columns around every vector, batch forms, windows,
// partial sums, every type of C, operands pressed against inaccessible pages. Integers must be exact, hence
// the same on every instruction set; bf16 stays within its bound of a double-precision reference.
#include <gtest/gtest.h>

#include <limits>

#include "microkernels/brgemm/narrow_case.h"

namespace cortex {
namespace {

using testing::NarrowTest;
using testing::Side;
using Case = testing::NarrowCase;

TEST_P(NarrowTest, EveryTileAgainstGuardPages) {
  int turn = 0;
  const std::vector<int32_t> types = c_types();
  for (int64_t m = 1; m <= GetParam()->mr; ++m) {
    for (int64_t n : column_counts()) {
      for (int64_t k : {1, 4, 9}) {
        Case t{m, n, k, 1 + turn / 5 % 3};
        t.form = turn % 3;
        t.finish = turn % 7 != 0;
        t.c_type = types[static_cast<std::size_t>(turn) % types.size()];
        t.accumulate = turn / 3 % 2 && (!t.finish || t.c_type == CORTEX_ELEMENT_SUM);
        t.side = turn / 2 % 2 ? Side::before : Side::after;
        t.pad = turn % 5 == 0 ? 3 : 0;
        t.bias_n = turn % 2;
        t.scale = turn / 2 % 2;
        t.compensation = turn / 4 % 2;
        t.epilogue.activation = turn % 3 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
        t.epilogue.c_zero_point = turn % 4 == 0 ? 7 : 0;
        ++turn;
        run(t);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(NarrowTest, EveryEpilogueAndType) {
  const KernelInfo& kernel = *GetParam();
  for (int32_t type : c_types()) {
    for (int activation = CORTEX_ACTIVATION_NONE; activation <= CORTEX_ACTIVATION_TANH; ++activation) {
      for (int steps = 0; steps < 32; ++steps) {
        for (int64_t n : {int64_t{kernel.nr}, int64_t{kernel.nr - 1}, int64_t{1}}) {
          Case t{steps % 2 ? kernel.mr : 1, n, 5, 2};
          t.c_type = type;
          t.side = steps % 2 ? Side::before : Side::after;
          t.bias_n = steps & 1, t.bias_m = steps & 2, t.residual = steps & 4;
          t.in_place = t.residual && (steps & 16);
          t.scale = steps % 3 != 0, t.compensation = steps % 5 == 0;
          t.epilogue.residual_after_activation = (steps & 8) != 0;
          t.epilogue.residual_scale = steps % 5 ? 0.75f : 1.0f;
          t.epilogue.activation = activation;
          t.epilogue.alpha = activation == CORTEX_ACTIVATION_CLIP ? -0.5f : steps % 2 ? 0.1f : 0.0f;
          t.epilogue.beta = 1.5f;
          t.epilogue.c_zero_point = steps % 3 == 1 ? -3 : 0;
          run(t);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(NarrowTest, WindowsOverTheEdge) {
  int turn = 0;
  for (int64_t m = 1; m <= GetParam()->mr; ++m) {
    for (int64_t n : {int64_t{GetParam()->nr}, int64_t{5}}) {
      for (int64_t at : {0, -1, -3}) {
        for (int64_t over : {0, 1, 4}) {
          Case t{m, n, 3, 3 * (1 + turn % 2)};
          t.window = {3, at, 1 + turn % 2, 1, 0};
          t.window.extent = std::max<int64_t>(1, at + (m - 1) * t.window.step + 3 - over);
          t.form = turn % 3;
          t.c_type = c_types()[static_cast<std::size_t>(turn) % c_types().size()];
          t.bias_n = turn % 2;
          t.scale = true;
          ++turn;
          run(t);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(NarrowTest, NothingSaturatesOnTheWay) {
  if (!integers()) GTEST_SKIP() << "no integers";
  for (int extremes : {1, 2}) {
    for (int64_t k : {1, 63, 1000}) {
      Case t{GetParam()->mr, GetParam()->nr, k, 3};
      t.extremes = extremes;
      run(t);
      t.c_type = CORTEX_ELEMENT_S8;
      run(t);
      t.c_type = CORTEX_ELEMENT_U8;
      t.scale = true;
      run(t);
    }
  }
}

// What is stored in part and together saturates as single vectors do; NaN becomes the smallest.
TEST_P(NarrowTest, HugeValuesAndNotANumber) {
  if (!integers()) GTEST_SKIP() << "no integers";
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  int turn = 0;
  for (int64_t m = 1; m <= GetParam()->mr; m += 1 + m / 8) {
    for (int64_t n : column_counts()) {
      for (int32_t type : c_types()) {
        if (type == CORTEX_ELEMENT_SUM) continue;
        Case t{m, n, 2, 1};
        t.c_type = type;
        t.scale = t.bias_n = true;
        t.biases = {nan,      3e9f,      -3e9f, 1e30f, -1e30f, inf,   -inf,
                    32767.5f, -32768.5f, 65600, 2.5f,  -2.5f,  1.1e9f};
        t.epilogue.activation = turn % 2 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
        t.epilogue.c_zero_point = turn % 3 ? type == CORTEX_ELEMENT_U8 ? 201 : -100 : 0;
        t.side = turn % 2 ? Side::before : Side::after;
        ++turn;
        run(t);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(NarrowTest, OneAdjacentColumnAndEmptySums) {
  for (int64_t m = 1; m <= GetParam()->mr; ++m) {
    for (int64_t k : {0, 1, 15, 16, 33}) {
      Case t{m, 1, k, k ? 2 : 0};
      t.c_type = c_types()[static_cast<std::size_t>(m + k) % c_types().size()];
      t.bias_n = true;
      run(t);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(NarrowTest, BandsOfRows) {
  const KernelInfo& kernel = *GetParam();
  if (!kernel.tiles || kernel.mr < 2 * tile_rows) GTEST_SKIP() << "takes one band";
  const std::vector<int32_t> types = c_types();
  int turn = 0;
  for (int64_t bands = 2; bands <= kernel.mr / tile_rows; ++bands) {
    for (int64_t m : {1, 7, 14, 16}) {
      for (int64_t n : {int64_t{kernel.nr}, int64_t{kernel.nr - 3}, int64_t{5}}) {
        for (int64_t k : {1, 16, 24, 37}) {
          Case t{m, n, k, 1 + turn % 3};
          t.bands = bands;
          t.side = turn % 2 ? Side::before : Side::after;
          t.form = turn % 3;
          t.finish = turn % 5 != 0;
          t.accumulate = !t.finish && turn % 2;
          t.pad = turn % 4 == 0 ? 2 : 0;
          t.c_type = types[static_cast<std::size_t>(turn) % types.size()];
          t.bias_n = turn % 3 == 0;
          t.bias_m = turn % 9 == 0;
          t.scale = turn % 2;
          t.compensation = turn % 4 == 0;
          t.residual = t.finish && turn % 7 == 0;
          t.epilogue.activation = turn % 2 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
          if (turn % 4 == 1) {
            t.batch = 3;
            t.window = {3, -1, 1, 1, m};
          }
          ++turn;
          run(t);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

constexpr void (*release_tiles)(cortex_tiles*) = CORTEX_WHERE_BUILT(amx, cortex_tiles_release_amx);

// Series of calls whose sizes change between them: a result is complete when two more calls of its kind are
// done, or the series.
TEST_P(NarrowTest, SeriesOfCalls) {
  const KernelInfo& kernel = *GetParam();
  if (!kernel.tiles) GTEST_SKIP() << "has no tile registers";
  const std::vector<int32_t> types = c_types();
  cortex_tiles tiles;
  tiles.configured = tiles.unfinished = 0;
  const std::vector<float> factors(static_cast<std::size_t>(kernel.mr + kernel.nr) * 16);
  std::vector<float> other(static_cast<std::size_t>(kernel.mr * kernel.nr));
  const auto two_more = [&] {
    for (int64_t size : {3, 40}) {
      cortex_brgemm_args args = {};
      args.a = args.b = factors.data(), args.c = other.data();
      args.m = std::min<int64_t>(size, kernel.mr), args.n = std::min<int64_t>(size, kernel.nr), args.k = 16;
      args.lda = 64, args.ldb = args.ldc = args.n * 4, args.batch = 1;
      args.flags = CORTEX_TILE_EPILOGUE;
      args.epilogue.c_type = CORTEX_ELEMENT_F32;
      args.tiles = &tiles;
      std::fill(other.begin(), other.end(), 1.0f);
      kernel.brgemm(&args);
    }
  };
  const auto end = [&] {
    EXPECT_NE(tiles.configured, 0u);
    release_tiles(&tiles);
    EXPECT_EQ(tiles.configured, 0u);
    EXPECT_EQ(tiles.unfinished, 0u);
    EXPECT_EQ(other[0], 0.0f);
  };
  two_more();
  for (int turn = 0; turn < 400; ++turn) {
    Case t{1 + turn / 4 * 7 % kernel.mr, 1 + turn / 3 * 11 % kernel.nr, turn / 5 * 6 % 50, 1 + turn % 4};
    t.tiles = &tiles;
    t.settle = turn % 17 == 16 ? std::function<void()>(end) : two_more;
    t.finish = turn % 11 != 0;
    t.accumulate = !t.finish && turn % 2;
    t.c_type = types[static_cast<std::size_t>(turn / 7) % types.size()];
    t.bias_n = turn % 2;
    t.scale = turn % 3 != 0;
    t.compensation = turn % 5 == 0;
    t.residual = turn % 13 == 0;
    t.epilogue.activation = turn % 3 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
    t.epilogue.c_zero_point = turn % 4 == 0 ? 9 : 0;
    run(t);
    if (HasFatalFailure()) return;
  }
  end();
  release_tiles(&tiles);  // of a series without calls: nothing
}

std::vector<const KernelInfo*> narrow_kernels() {
  std::vector<const KernelInfo*> kernels;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (kernel.op == KernelOp::brgemm && kernel.kr > 1) kernels.push_back(&kernel);
  }
  return kernels;
}

INSTANTIATE_TEST_SUITE_P(Kernels, NarrowTest, ::testing::ValuesIn(narrow_kernels()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace cortex
