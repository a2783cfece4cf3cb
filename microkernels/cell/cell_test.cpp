// Products against double, equal bits for every division of rows and columns, nothing touched beside the
// operands; element-wise steps against double.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "cortex/cell_kernels.h"
#include "support/bf16.h"
#include "support/cpu.h"

namespace {

struct Kernels {
  const char* name;
  cortex::Isa isa;
  int panel;
  cortex_cell_gemm_fn gemm, gemm_bf16;
  cortex_cell_pointwise_fn pointwise;
};
const Kernels all[] = {
    {"baseline", cortex::Isa::baseline, cortex_cell_panel_baseline, cortex_cell_gemm_baseline,
     cortex_cell_gemm_bf16_baseline, cortex_cell_pointwise_baseline},
    {"avx2", cortex::Isa::avx2, cortex_cell_panel_avx2, CORTEX_WHERE_BUILT(avx2, cortex_cell_gemm_avx2),
     CORTEX_WHERE_BUILT(avx2, cortex_cell_gemm_bf16_avx2),
     CORTEX_WHERE_BUILT(avx2, cortex_cell_pointwise_avx2)},
    {"avx512", cortex::Isa::avx512, cortex_cell_panel_avx512,
     CORTEX_WHERE_BUILT(avx512, cortex_cell_gemm_avx512),
     CORTEX_WHERE_BUILT(avx512, cortex_cell_gemm_bf16_avx512),
     CORTEX_WHERE_BUILT(avx512, cortex_cell_pointwise_avx512)}};

class Cell : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (!cortex::supports(kernels().isa)) GTEST_SKIP() << "this CPU has no " << kernels().name;
  }
  const Kernels& kernels() const { return all[GetParam()]; }
};

std::vector<float> random_values(std::size_t n, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> v(n);
  for (float& x : v) x = uniform(random);
  return v;
}

TEST_P(Cell, GemmMatchesDoubleAndItsOwnParts) {
  std::mt19937 random(7);
  const int panel = kernels().panel;
  for (const int k : {0, 1, 3, 4, 37, 64}) {
    for (const int n : {1, 5, panel - 1, panel, panel + 3, 2 * panel, 5 * panel, 7 * panel + panel / 2 + 1}) {
      for (const int m : {1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 19, 29, 43}) {
        const int panels = (n + panel - 1) / panel;
        const auto a = random_values(static_cast<std::size_t>(m * (k + 3)), random);
        const auto b = random_values(static_cast<std::size_t>(panels * k * panel), random);
        const auto bias = random_values(static_cast<std::size_t>(n), random);
        const auto plus = random_values(static_cast<std::size_t>(m * (n + 1)), random);
        const int ldc = n + 2;
        const auto before = random_values(static_cast<std::size_t>(m * ldc), random);
        for (int init = 0; init < 4; ++init) {
          cortex_cell_gemm_args args{};
          args.a = a.data();
          args.b = b.data();
          args.m = m;
          args.n = n;
          args.k = k;
          args.lda = 4 * (k + 3);
          args.ldb = 4 * panel;
          args.panel_stride = 4 * panel * k;
          args.ldc = 4 * ldc;
          if (init == 1) args.bias = bias.data();
          if (init == 2) args.flags = CORTEX_TILE_ACCUMULATE;
          if (init == 3) {
            args.plus = plus.data();
            args.ldplus = 4 * (n + 1);
          }
          std::vector<float> c = before;
          args.c = c.data();
          kernels().gemm(&args);
          for (int i = 0; i < m; ++i) {
            for (int j = 0; j < ldc; ++j) {
              const std::size_t at = static_cast<std::size_t>(i * ldc + j);
              if (j >= n) {
                ASSERT_EQ(c[at], before[at]);
                continue;
              }
              double sum = 0;
              if (init == 1) sum = bias[static_cast<std::size_t>(j)];
              if (init == 2) sum = before[at];
              if (init == 3) sum = plus[static_cast<std::size_t>(i * (n + 1) + j)];
              double size = std::abs(sum);
              for (int l = 0; l < k; ++l) {
                const double p = double{a[static_cast<std::size_t>(i * (k + 3) + l)]} *
                                 b[static_cast<std::size_t>(j / panel * panel * k + l * panel + j % panel)];
                sum += p;
                size += std::abs(p);
              }
              ASSERT_LE(std::abs(c[at] - sum), (k + 1) * 6e-8 * size) << m << " " << n << " " << k;
            }
          }
          // Row by row, the other way round, in parts of panels: the same bits.
          std::vector<float> parts = before;
          for (int i = 0; i < m; ++i) {
            for (int p = 0; p < panels; p += 3) {
              cortex_cell_gemm_args part = args;
              part.a = a.data() + i * (k + 3);
              part.b = b.data() + p * panel * k;
              part.c = parts.data() + i * ldc + p * panel;
              part.m = 1;
              part.n = std::min(3 * panel, n - p * panel);
              part.last_first = 1;
              if (part.bias) part.bias += p * panel;
              if (part.plus) part.plus = plus.data() + i * (n + 1) + p * panel;
              kernels().gemm(&part);
            }
          }
          ASSERT_EQ(std::memcmp(parts.data(), c.data(), c.size() * 4), 0) << m << " " << n << " " << k;
        }
      }
    }
  }
}

// B as pairs of bf16: the bits of the same B as f32.
TEST_P(Cell, Bf16IsExact) {
  std::mt19937 random(9);
  const int panel = kernels().panel;
  for (const int k : {0, 1, 5, 64}) {
    for (const int n :
         {1, panel / 2, panel / 2 + 1, panel, panel + 3, 5 * panel, 6 * panel + panel / 2 + 1}) {
      for (const int m : {1, 2, 3, 4, 6, 7, 12, 13, 25}) {
        const int panels = (n + panel - 1) / panel;
        const auto a = random_values(static_cast<std::size_t>(m * k), random);
        auto b = random_values(static_cast<std::size_t>(panels * k * panel), random);
        std::vector<uint32_t> pairs(b.size() / 2);
        for (std::size_t i = 0; i < b.size(); ++i) {
          const uint16_t narrow = cortex::to_bf16(b[i]);
          b[i] = cortex::from_bf16(narrow);
          const std::size_t row = i / static_cast<std::size_t>(panel),
                            j = i % static_cast<std::size_t>(panel);
          const std::size_t half = static_cast<std::size_t>(panel / 2);
          pairs[row * half + j % half] |= j < half ? uint32_t{narrow} : uint32_t{narrow} << 16;
        }
        std::vector<float> wide(static_cast<std::size_t>(m * n)), narrow(wide.size());
        for (const uint32_t last_first : {0u, 1u}) {
          cortex_cell_gemm_args args{};
          args.a = a.data();
          args.b = b.data();
          args.c = wide.data();
          args.m = m;
          args.n = n;
          args.k = k;
          args.lda = 4 * k;
          args.ldb = 4 * panel;
          args.panel_stride = 4 * panel * k;
          args.ldc = 4 * n;
          args.last_first = last_first;
          kernels().gemm(&args);
          args.b = pairs.data();
          args.c = narrow.data();
          args.ldb = 2 * panel;
          args.panel_stride = 2 * panel * k;
          kernels().gemm_bf16(&args);
          ASSERT_EQ(std::memcmp(wide.data(), narrow.data(), wide.size() * 4), 0) << m << " " << n << " " << k;
        }
      }
    }
  }
}

TEST_P(Cell, PointwiseSteps) {
  std::mt19937 random(8);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (const int n : {1, 4, 7, 16, 33, 256}) {
    std::vector<std::vector<float>> data;
    for (int r = 0; r < 6; ++r) data.push_back(random_values(static_cast<std::size_t>(n), random));
    for (const int activation : {0, 1, 3, 4, 100}) {
      for (int terms = 1; terms <= 3; ++terms) {
        for (int tail = 0; tail < 4; ++tail) {
          std::vector<float> dst(static_cast<std::size_t>(n));
          float* rows[6] = {dst.data(),     data[1].data(), data[2].data(),
                            data[3].data(), data[4].data(), data[5].data()};
          const cortex_cell_step step{
              CORTEX_CELL_FORM,  activation,        0, 1, terms > 1 ? 2 : -1, terms > 2 ? 3 : -1,
              tail & 1 ? 4 : -1, tail & 2 ? 5 : -1, 0, 0};
          kernels().pointwise(&step, 1, rows, n);
          for (std::size_t j = 0; j < dst.size(); ++j) {
            double x = data[1][j];
            if (terms > 1) x += data[2][j];
            if (terms > 2) x += data[3][j];
            double y = activation == 1     ? std::max(x, 0.0)
                       : activation == 3   ? sigmoid(x)
                       : activation == 4   ? std::tanh(x)
                       : activation == 100 ? std::exp(x)
                                           : x;
            if (tail & 1) y *= data[4][j];
            if (tail & 2) y += data[5][j];
            ASSERT_NEAR(dst[j], y, 4e-6 * (1 + std::abs(y)));
          }
        }
      }
    }
    std::vector<float> dst(static_cast<std::size_t>(n));
    float* rows[3] = {dst.data(), data[1].data(), data[2].data()};
    for (int op = CORTEX_CELL_SUB; op <= CORTEX_CELL_FILL; ++op) {
      const cortex_cell_step step{op, 0, 0, 1, 2, -1, -1, -1, -1.0f, 1.0f};
      kernels().pointwise(&step, 1, rows, n);
      for (std::size_t j = 0; j < dst.size(); ++j) {
        const float a = data[1][j], b = data[2][j];
        const float expected[] = {0, a - b, a / b, std::max(a, b), std::min(a, b), 1 - a, -1};
        ASSERT_FLOAT_EQ(dst[j], expected[op]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Cell, testing::Values(0, 1, 2),
                         [](const auto& instance) { return all[instance.param].name; });

}  // namespace
