// Rows of bytes times weights held as bits and values, against 64-bit sums; nothing touched beside the
// operands.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "microkernels/sparse/bytes_test.h"

namespace {

using namespace cortex::testing;

struct Kernels {
  const char* name;
  cortex::Isa isa;
  int lanes;
  cortex_bitmap_fn run;
  bool vbmi2 = false;
};
const Kernels all[] = {
    {"baseline", cortex::Isa::baseline, CORTEX_SPARSE_LANES_BASELINE, cortex_bitmap_u8s8_baseline},
    {"avx2", cortex::Isa::avx2, CORTEX_SPARSE_LANES_AVX2, CORTEX_WHERE_BUILT(avx2, cortex_bitmap_u8s8_avx2)},
    {"avx2vnni", cortex::Isa::avx2vnni, CORTEX_SPARSE_LANES_AVX2,
     CORTEX_WHERE_BUILT(avx2vnni, cortex_bitmap_u8s8_avx2vnni)},
    {"avx512vbmi2", cortex::Isa::avx512vnni, CORTEX_SPARSE_LANES_AVX512,
     CORTEX_WHERE_BUILT(avx512vbmi2, cortex_bitmap_u8s8_avx512vbmi2), true}};

class BitmapU8S8 : public KernelTest<Kernels> {
 protected:
  void SetUp() override {
    KernelTest<Kernels>::SetUp();
    if (kernels().vbmi2 && !cortex::runs_vbmi2(cortex::detected_isa()))
      GTEST_SKIP() << "this CPU has no AVX512_VBMI2";
  }
};

struct Case {
  int m, n, units, percent;  // of the weights, not zero
  int type, apart, zero_point;
  bool residual, compensation, extremes;
  Side side;
};

void check(const Kernels& kernels, const Case& c, std::mt19937& random) {
  const int block = CORTEX_BITMAP_VECTORS * kernels.lanes, blocks = (c.n + block - 1) / block;
  const int bytes = bytes_of(c.type), ldc = (c.n + 3) * bytes, lda = 4 * c.units + c.apart;
  GuardedBuffer a(size(c.units ? (c.m - 1) * lda + 4 * c.units : 0), c.side),
      bits(size(blocks * c.units * block / 2), c.side), scale(size(4 * c.n), c.side),
      bias(size(4 * c.n), c.side), compensation(size(4 * c.n), c.side);
  fill_bytes(a, random, c.extremes);
  fill_columns(scale, bias, compensation, random);
  std::memset(bits.data(), 0, bits.size());
  std::vector<int8_t> weights(size(4 * c.units * c.n), 0), packed;
  for (int b = 0; b < blocks; ++b)
    for (int u = 0; u < c.units; ++u)
      for (int bit = 0; bit < 4 * block && b * block + bit / 4 < c.n; ++bit) {
        if (static_cast<int>(random() % 100) >= c.percent) continue;
        bits.as<uint8_t>()[(b * c.units + u) * (block / 2) + bit / 8] |= static_cast<uint8_t>(1 << bit % 8);
        packed.push_back(static_cast<int8_t>(c.extremes ? -128 : static_cast<int>(random() % 256) - 128));
        weights[size((4 * u + bit % 4) * c.n + b * block + bit / 4)] = packed.back();
      }
  GuardedBuffer values(packed.size() + 4 * size(kernels.lanes), c.side);
  std::memset(values.data(), 0x55, values.size());
  if (!packed.empty()) std::memcpy(values.data(), packed.data(), packed.size());
  GuardedBuffer out(size((c.m - 1) * ldc + c.n * bytes), c.side), residual(out.size(), c.side);
  fill_bytes(out, random, false);
  fill_elements(residual, c.type, random);
  const std::vector<char> before(out.as<char>(), out.as<char>() + out.size());

  cortex_bitmap_args x{};
  x.a = a.data();
  x.a_row = lda;
  x.a_column = 4;
  x.bits = bits.data();
  x.values = values.data();
  x.m = c.m, x.n = c.n, x.k = c.units;
  x.c = out.data();
  x.ldc = ldc;
  x.epilogue.scale_n = scale.as<float>();
  x.epilogue.bias_n = bias.as<float>();
  if (c.compensation) x.epilogue.compensation_n = compensation.as<int32_t>();
  if (c.residual) x.epilogue.residual = residual.data();
  x.epilogue.ld_residual = ldc;
  x.epilogue.residual_scale = 0.5f;
  x.epilogue.activation = CORTEX_ACTIVATION_RELU;
  x.epilogue.c_type = c.type;
  x.epilogue.c_zero_point = bytes == 1 ? c.zero_point : 0;
  kernels.run(&x);

  for (int i = 0; i < c.m; ++i) {
    const char* const row = out.as<char>() + i * ldc;
    for (int j = 0; j < c.n; ++j) {
      int64_t sum = c.compensation ? compensation.as<int32_t>()[j] : 0;
      for (int k = 0; k < 4 * c.units; ++k) sum += a.as<uint8_t>()[i * lda + k] * weights[size(k * c.n + j)];
      const double added = element(c.type, residual.as<char>() + i * ldc, j);
      const float expected = finish(c.type, sum, scale.as<float>()[j], bias.as<float>()[j],
                                    c.residual ? &added : nullptr, c.zero_point);
      ASSERT_EQ(element(c.type, row, j), static_cast<double>(expected))
          << kernels.name << " m " << c.m << " n " << c.n << " fours " << c.units << " row " << i
          << " column " << j << " type " << c.type;
    }
    for (int64_t b = c.n * bytes; b < ldc && i + 1 < c.m; ++b)
      ASSERT_EQ(row[b], before[size(i * ldc + b)]) << "beside C";
  }
}

TEST_P(BitmapU8S8, MatchesExactSums) {
  std::mt19937 random(43);
  const int types[] = {CORTEX_ELEMENT_U8, CORTEX_ELEMENT_S8, CORTEX_ELEMENT_F32, CORTEX_ELEMENT_S32};
  const int percents[] = {0, 5, 30, 60, 100};
  for (int n = 1; n <= 2 * CORTEX_BITMAP_VECTORS * kernels().lanes + 3; ++n) {
    for (int m = 1; m <= 6; ++m) {
      const Case c{m,
                   n,
                   static_cast<int>(random() % 20),
                   percents[random() % 5],
                   types[random() % 4],
                   static_cast<int>(random() % 3),
                   random() % 2 ? 0 : static_cast<int>(random() % 100),
                   random() % 3 == 0,
                   random() % 2 == 0,
                   random() % 4 == 0,
                   n % 2 ? Side::before : Side::after};
      check(kernels(), c, random);
      if (HasFatalFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, BitmapU8S8, testing::ValuesIn(all),
                         kernels_name<testing::TestParamInfo<Kernels>>);

}  // namespace
