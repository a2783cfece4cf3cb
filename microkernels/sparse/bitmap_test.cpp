// Rows times weights held as bits and values, against double; nothing touched beside the operands.
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
  int lanes;
  cortex_bitmap_fn f32, bf16;
};
const Kernels all[] = {
    {"baseline", cortex::Isa::baseline, CORTEX_SPARSE_LANES_BASELINE, cortex_bitmap_f32_baseline,
     cortex_bitmap_bf16_baseline},
    {"avx2", cortex::Isa::avx2, CORTEX_SPARSE_LANES_AVX2, CORTEX_WHERE_BUILT(avx2, cortex_bitmap_f32_avx2),
     CORTEX_WHERE_BUILT(avx2, cortex_bitmap_bf16_avx2)},
    {"avx512", cortex::Isa::avx512, CORTEX_SPARSE_LANES_AVX512,
     CORTEX_WHERE_BUILT(avx512, cortex_bitmap_f32_avx512),
     CORTEX_WHERE_BUILT(avx512, cortex_bitmap_bf16_avx512)}};

class Bitmap : public KernelTest<Kernels> {};

struct Case {
  int m, n, k, percent;  // of the weights, not zero
  bool bf16, bf16_out, transposed, residual;
  int activation;
  Side side;
};

void check(const Kernels& kernels, const Case& c, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  const auto number = [&] {
    return c.bf16 ? cortex::from_bf16(cortex::to_bf16(uniform(random))) : uniform(random);
  };
  const int block = CORTEX_BITMAP_VECTORS * kernels.lanes, blocks = (c.n + block - 1) / block;
  GuardedBuffer a(size(4 * c.m * c.k), c.side), bits(size(blocks * c.k * block / 8), c.side),
      bias(size(4 * c.n), c.side);
  for (std::size_t i = 0; i < a.size() / 4; ++i) a.as<float>()[i] = number();
  for (std::size_t i = 0; i < bias.size() / 4; ++i) bias.as<float>()[i] = number();
  std::memset(bits.data(), 0, bits.size());
  std::vector<float> weights(size(c.k * c.n), 0.0f), packed;
  for (int b = 0; b < blocks; ++b)
    for (int k = 0; k < c.k; ++k)
      for (int j = 0; j < block && b * block + j < c.n; ++j) {
        if (static_cast<int>(random() % 100) >= c.percent) continue;
        bits.as<uint8_t>()[(b * c.k + k) * (block / 8) + j / 8] |= static_cast<uint8_t>(1 << j % 8);
        packed.push_back(weights[size(k * c.n + b * block + j)] = number());
      }
  const std::size_t value = c.bf16 ? 2 : 4, element = c.bf16_out ? 2 : 4;
  GuardedBuffer values(packed.size() * value + 4 * size(kernels.lanes), c.side);
  std::memset(values.data(), 0xff, values.size());
  for (std::size_t i = 0; i < packed.size(); ++i) {
    if (c.bf16) {
      values.as<uint16_t>()[i] = cortex::to_bf16(packed[i]);
    } else {
      values.as<float>()[i] = packed[i];
    }
  }
  const int ldc = c.n + 3, extent = (c.m - 1) * ldc + c.n;
  GuardedBuffer out(size(extent) * element, c.side), residual(out.size(), c.side);
  for (int i = 0; i < extent; ++i) {
    const float x = number();
    if (c.bf16_out) {
      residual.as<uint16_t>()[i] = out.as<uint16_t>()[i] = cortex::to_bf16(x);
    } else {
      residual.as<float>()[i] = out.as<float>()[i] = x;
    }
  }
  const auto read = [&](const GuardedBuffer& b, int i) {
    return static_cast<double>(c.bf16_out ? cortex::from_bf16(b.as<uint16_t>()[i]) : b.as<float>()[i]);
  };
  cortex_bitmap_args x{};
  x.a = a.data();
  x.a_row = c.transposed ? 4 : 4 * c.k;
  x.a_column = c.transposed ? 4 * c.m : 4;
  x.bits = bits.data();
  x.values = values.data();
  x.m = c.m, x.n = c.n, x.k = c.k;
  x.c = out.data();
  x.ldc = ldc * static_cast<int64_t>(element);
  x.epilogue.bias_n = bias.as<float>();
  if (c.residual) x.epilogue.residual = residual.data();
  x.epilogue.ld_residual = x.ldc;
  x.epilogue.residual_scale = 0.5f;
  x.epilogue.activation = c.activation;
  x.epilogue.c_type = c.bf16_out ? CORTEX_ELEMENT_BF16 : CORTEX_ELEMENT_F32;
  (c.bf16 ? kernels.bf16 : kernels.f32)(&x);
  for (int i = 0; i < c.m; ++i) {
    for (int j = 0; j < (i + 1 < c.m ? ldc : c.n); ++j) {
      const double got = read(out, i * ldc + j);
      if (j >= c.n) {
        ASSERT_EQ(got, read(residual, i * ldc + j)) << "beside C";  // as it was
        continue;
      }
      double sum = static_cast<double>(bias.as<float>()[j]), magnitude = 2;
      for (int k = 0; k < c.k; ++k) {
        const float y = a.as<float>()[c.transposed ? k * c.m + i : i * c.k + k];
        const double product = static_cast<double>(y) * static_cast<double>(weights[size(k * c.n + j)]);
        sum += product;
        magnitude += std::fabs(product);
      }
      if (c.residual) sum += 0.5 * read(residual, i * ldc + j);
      if (c.activation == CORTEX_ACTIVATION_RELU) sum = std::max(sum, 0.0);
      const double allowed = (c.k + 4) * 6e-8 * magnitude + (c.bf16_out ? std::fabs(sum) * 0x1p-8 : 0);
      ASSERT_LE(std::fabs(got - sum), allowed)
          << kernels.name << " m " << c.m << " n " << c.n << " k " << c.k << " row " << i << " column " << j;
    }
  }
}

TEST_P(Bitmap, MatchesDouble) {
  std::mt19937 random(41);
  for (int n = 1; n <= 2 * CORTEX_BITMAP_VECTORS * kernels().lanes + 3; ++n) {
    for (int m = 1; m <= 6; ++m) {
      const int percents[] = {0, 5, 30, 60, 100};
      const Case c{m,
                   n,
                   static_cast<int>(random() % 40),
                   percents[random() % 5],
                   random() % 2 == 0,
                   random() % 2 == 0,
                   random() % 2 == 0,
                   random() % 3 == 0,
                   random() % 2 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE,
                   n % 2 ? Side::before : Side::after};
      check(kernels(), c, random);
      if (HasFatalFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Bitmap, testing::ValuesIn(all), kernels_name<testing::TestParamInfo<Kernels>>);

}  // namespace
