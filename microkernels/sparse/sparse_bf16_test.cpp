// Rows of bf16 against double, panels element by element, nothing touched beside the operands.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "microkernels/sparse/kernel_test.h"

namespace {

using namespace cortex::testing;

struct Kernels {
  const char* name;
  cortex::Isa isa;
  int points;                // in a vector
  cortex_sparse_fn rows[3];  // of 1, 2, 4
  cortex_sparse_gather_fn gather;
};
#define KERNELS(isa, lanes)                                         \
  {                                                                 \
#isa, cortex::Isa::isa, 2 * lanes,                              \
        {CORTEX_WHERE_BUILT(isa, cortex_sparse_rows1_bf16_##isa),   \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_rows2_bf16_##isa),   \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_rows4_bf16_##isa) }, \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_gather_bf16_##isa)   \
  }
const Kernels all[] = {KERNELS(avx512bf16, CORTEX_SPARSE_LANES_AVX512)};

class SparseBf16 : public KernelTest<Kernels> {};

double value(uint16_t half) { return static_cast<double>(cortex::from_bf16(half)); }

struct Case {
  int share, groups, n, columns, type, activation;
  bool blocks;  // the sums come from a call before
  bool residual;
  Side side;
};

double element(int type, const void* p, int64_t i) {
  return type == CORTEX_ELEMENT_BF16 ? value(static_cast<const uint16_t*>(p)[i])
                                     : static_cast<double>(static_cast<const float*>(p)[i]);
}

double finish(const Case& c, double v, float bias, double residual) {
  v += static_cast<double>(bias) + (c.residual ? 0.5 * residual : 0);
  if (c.activation == CORTEX_ACTIVATION_RELU) return std::max(v, 0.0);
  if (c.activation == CORTEX_ACTIVATION_CLIP) return std::min(std::max(v, -0.5), 0.5);
  return v;
}

// A list's columns and weights, added to what is wanted. Returns the number of pairs.
int add_list(const Case& c, int pairs, int row, int pitch, const GuardedBuffer& panel,
             const uint32_t* offsets, const uint16_t* values, std::vector<double>& want,
             std::vector<double>& magnitude) {
  for (int t = 0; t < c.share; ++t)
    for (int i = 0; i < 2 * pairs; ++i)
      for (int j = 0; j < c.n; ++j) {
        const double product =
            value(values[i / 2 * 2 * c.share + 2 * t + i % 2]) *
            value(panel.as<uint16_t>()[static_cast<int>(offsets[i]) / 2 / pitch * pitch + j]);
        want[size((row + t) * c.n + j)] += product;
        magnitude[size((row + t) * c.n + j)] += std::fabs(product);
      }
  return pairs;
}

double check_rows(const Kernels& k, const Case& c, std::mt19937& random) {
  const int rows = c.share * c.groups, vectors = (c.n + k.points - 1) / k.points;
  const int pitch = CORTEX_SPARSE_VECTORS * k.points, bytes = c.type == CORTEX_ELEMENT_BF16 ? 2 : 4;
  const int64_t ldc = (c.n + 3) * bytes, ld_sums = vectors * k.points * 4;
  // The last column ends with its last vector.
  GuardedBuffer panel(size(2 * ((c.columns - 1) * pitch + vectors * k.points)), c.side);
  GuardedBuffer sums(size(rows * ld_sums), c.side), out(size((rows - 1) * ldc + c.n * bytes), c.side);
  GuardedBuffer residual(out.size(), c.side), bias(size(rows * 4), c.side);
  fill_bf16(panel, random);
  fill_bf16(out, random);
  (bytes == 2 ? fill_bf16 : fill_f32)(residual, random);
  fill_f32(bias, random);
  const std::vector<char> before(out.as<char>(), out.as<char>() + out.size());
  std::vector<double> want(size(rows * c.n), 0.0), magnitude(want);
  int longest = 0;
  for (int pass = c.blocks ? 0 : 1; pass < 2; ++pass) {
    std::vector<int32_t> counts;
    int64_t pairs = 0;
    for (int g = 0; g < c.groups; ++g) {
      counts.push_back(static_cast<int32_t>(random() % 12));
      longest = std::max(longest, counts.back());
      pairs += counts.back();
    }
    GuardedBuffer offsets(size(8 * pairs), c.side), values(size(4 * pairs * c.share), c.side),
        count(counts.size() * 4, c.side);
    fill_bf16(values, random);
    for (int64_t i = 0; i < 2 * pairs; ++i)
      offsets.as<uint32_t>()[i] =
          static_cast<uint32_t>(2 * pitch * static_cast<int>(random() % static_cast<unsigned>(c.columns)));
    std::memcpy(count.data(), counts.data(), count.size());
    int64_t at = 0;
    for (int g = 0; g < c.groups; ++g)
      at += add_list(c, counts[size(g)], g * c.share, pitch, panel, offsets.as<uint32_t>() + 2 * at,
                     values.as<uint16_t>() + 2 * at * c.share, want, magnitude);
    const GuardedNext next(3, c.side);
    cortex_sparse_args x{};
    x.panel = panel.data();
    x.offsets = offsets.as<uint32_t>();
    x.values = values.data();
    x.counts = count.as<int32_t>();
    x.groups = c.groups;
    x.n = c.n;
    x.next = next.next();
    if (c.blocks && pass) x.sums = sums.data();
    x.ld_sums = ld_sums;
    x.c = pass ? out.data() : sums.data();
    x.ldc = pass ? ldc : ld_sums;
    if (pass) {
      x.flags = CORTEX_TILE_EPILOGUE;
      x.epilogue.bias_m = bias.as<float>();
      if (c.residual) x.epilogue.residual = residual.data();
      x.epilogue.ld_residual = ldc;
      x.epilogue.residual_scale = 0.5f;
      x.epilogue.activation = c.activation;
      if (c.activation == CORTEX_ACTIVATION_CLIP) x.epilogue.alpha = -0.5f, x.epilogue.beta = 0.5f;
      x.epilogue.c_type = c.type;
    }
    k.rows[c.share / 2](&x);
  }
  double worst = 0;
  for (int r = 0; r < rows; ++r) {
    const char* const row = out.as<char>() + r * ldc;
    for (int j = 0; j < c.n; ++j) {
      const double expected = finish(c, want[size(r * c.n + j)], bias.as<float>()[r],
                                     element(c.type, residual.as<char>() + r * ldc, j));
      double allowed = (4 * longest + 6) * 6e-8 * (magnitude[size(r * c.n + j)] + 2);
      if (bytes == 2) allowed += std::fabs(expected) * 0x1p-8;
      const double error = std::fabs(element(c.type, row, j) - expected);
      EXPECT_LE(error, allowed) << k.name << " share " << c.share << " n " << c.n << " row " << r << " point "
                                << j << " type " << c.type;
      worst = std::max(worst, error / allowed);
      if (testing::Test::HasFailure()) return worst;
    }
    for (int64_t i = c.n * bytes; i < ldc && r + 1 < rows; ++i)
      EXPECT_EQ(row[i], before[size(r * ldc + i)]) << "beside C";
  }
  return worst;
}

TEST_P(SparseBf16, RowsMatchDouble) {
  std::mt19937 random(31);
  const int activations[] = {CORTEX_ACTIVATION_NONE, CORTEX_ACTIVATION_RELU, CORTEX_ACTIVATION_CLIP};
  double worst = 0;
  for (const int share : {1, 2, 4}) {
    for (int n = 1; n <= CORTEX_SPARSE_VECTORS * kernels().points; n += 1 + (n > 70) * 4) {
      for (const int type : {CORTEX_ELEMENT_BF16, CORTEX_ELEMENT_F32}) {
        const Case c{share,
                     1 + n % 4,
                     n,
                     1 + static_cast<int>(random() % 40),
                     type,
                     activations[random() % 3],
                     random() % 2 == 0,
                     random() % 3 == 0,
                     n % 2 ? Side::before : Side::after};
        worst = std::max(worst, check_rows(kernels(), c, random));
        if (HasFailure()) return;
      }
    }
  }
  std::printf("%s: largest error ratio %.3f\n", kernels().name, worst);
}

TEST_P(SparseBf16, GatherTakesTheElementsOfItsRuns) {
  std::mt19937 random(32);
  const int points = kernels().points;
  for (int round = 0; round < 200; ++round) {
    const int step = 1 + round % 3, together = step == 2 && round % 4 == 1 ? points / 2 : 1,
              channels = 1 + static_cast<int>(random() % 4);
    const int extent = points * step + 40, pitch = 6 * points;
    GuardedBuffer src(size(2 * channels * extent), round % 2 ? Side::before : Side::after);
    fill_bf16(src, random);
    const Gathered g = random_runs(points, pitch, channels, extent, step, together, 40, random);
    std::vector<uint16_t> panel(g.channels.size() * size(pitch), 7);
    cortex_sparse_gather_args x = g.args(src, 2 * extent, step, together);
    x.panel = panel.data();
    x.ld_panel = 2 * pitch;
    kernels().gather(&x);
    for (std::size_t i = 0; i < g.channels.size(); ++i) {
      for (std::size_t j = 0; j < size(pitch); ++j) {
        const int64_t at = g.from[j];
        if (at == Gathered::any) continue;
        const int want = at == Gathered::untouched ? 7
                         : at < 0                  ? 0
                                                   : src.as<uint16_t>()[g.channels[i] * extent + at];
        ASSERT_EQ(panel[i * size(pitch) + j], want)
            << kernels().name << " round " << round << " channel " << i << " element " << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, SparseBf16, testing::ValuesIn(all),
                         kernels_name<testing::TestParamInfo<Kernels>>);

}  // namespace
