// Rows of 8-bit integers against 64-bit sums, panels byte by byte, nothing touched beside the operands.
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
  int points;                // in a vector
  cortex_sparse_fn rows[3];  // of 1, 2, 4
  cortex_sparse_gather_fn gather;
};
#define KERNELS(isa, lanes)                                         \
  {                                                                 \
#isa, cortex::Isa::isa, 4 * lanes,                              \
        {CORTEX_WHERE_BUILT(isa, cortex_sparse_rows1_u8s8_##isa),   \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_rows2_u8s8_##isa),   \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_rows4_u8s8_##isa) }, \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_gather_u8s8_##isa)   \
  }
const Kernels all[] = {KERNELS(baseline, CORTEX_SPARSE_LANES_BASELINE),
                       KERNELS(avx2, CORTEX_SPARSE_LANES_AVX2), KERNELS(avx2vnni, CORTEX_SPARSE_LANES_AVX2),
                       KERNELS(avx512, CORTEX_SPARSE_LANES_AVX512),
                       KERNELS(avx512vnni, CORTEX_SPARSE_LANES_AVX512)};

class SparseU8S8 : public KernelTest<Kernels> {};

struct Case {
  int share, groups, n, columns, type;
  bool blocks;  // the sums come from a call before
  bool residual, extremes;
  int zero_point;
  Side side;
};

void check_rows(const Kernels& k, const Case& c, std::mt19937& random) {
  const int rows = c.share * c.groups, vectors = (c.n + k.points - 1) / k.points;
  const int pitch = CORTEX_SPARSE_VECTORS * k.points;
  const int bytes = bytes_of(c.type);
  const int64_t ldc = (c.n + 3) * bytes, ld_sums = vectors * k.points * 4;
  const int passes = c.blocks ? 2 : 1;
  // The last column ends with its last vector.
  GuardedBuffer panel(size((c.columns - 1) * pitch + vectors * k.points), c.side);
  fill_bytes(panel, random, c.extremes);
  GuardedBuffer sums(size(rows * ld_sums), c.side), out(size((rows - 1) * ldc + c.n * bytes), c.side);
  GuardedBuffer residual(out.size(), c.side), scale(size(rows * 4), c.side), bias(size(rows * 4), c.side),
      compensation(size(rows * 4), c.side);
  fill_bytes(out, random, false);
  fill_elements(residual, c.type, random);
  fill_columns(scale, bias, compensation, random);
  const std::vector<char> before(out.as<char>(), out.as<char>() + out.size());
  std::vector<int64_t> want(size(rows * c.n));
  for (int r = 0; r < rows; ++r)
    for (int j = 0; j < c.n; ++j) want[size(r * c.n + j)] = compensation.as<int32_t>()[r];

  for (int pass = 0; pass < passes; ++pass) {
    std::vector<int32_t> counts;
    std::vector<int> lists;
    for (int g = 0; g < c.groups; ++g) {
      counts.push_back(static_cast<int32_t>(random() % 6));
      for (int i = 0; i < 4 * counts.back(); ++i)
        lists.push_back(static_cast<int>(random() % static_cast<unsigned>(c.columns)));
    }
    GuardedBuffer offsets(lists.size() * 4, c.side), values(lists.size() * size(c.share), c.side),
        count(counts.size() * 4, c.side);
    fill_bytes(values, random, c.extremes);
    for (std::size_t i = 0; i < lists.size(); ++i)
      offsets.as<uint32_t>()[i] = static_cast<uint32_t>(lists[i] * pitch);
    std::memcpy(count.data(), counts.data(), count.size());
    int at = 0;
    for (int g = 0; g < c.groups; at += 4 * counts[size(g++)]) {
      for (int t = 0; t < c.share; ++t)
        for (int i = 0; i < 4 * counts[size(g)]; ++i)
          for (int j = 0; j < c.n; ++j)
            want[size((g * c.share + t) * c.n + j)] +=
                values.as<int8_t>()[(at + i / 4 * 4) * c.share + 4 * t + i % 4] *
                panel.as<uint8_t>()[lists[size(at + i)] * pitch + j];
    }
    const GuardedNext next(3, c.side);
    cortex_sparse_args x{};
    x.panel = panel.data();
    x.offsets = offsets.as<uint32_t>();
    x.values = values.data();
    x.counts = count.as<int32_t>();
    x.groups = c.groups;
    x.n = c.n;
    x.next = next.next();
    x.compensation = compensation.as<int32_t>();
    if (pass) x.sums = sums.data();
    x.ld_sums = ld_sums;
    x.c = pass + 1 == passes ? out.data() : sums.data();
    x.ldc = pass + 1 == passes ? ldc : ld_sums;
    if (pass + 1 == passes) {
      x.flags = CORTEX_TILE_EPILOGUE;
      x.scale = scale.as<float>();
      x.epilogue.bias_m = bias.as<float>();
      if (c.residual) x.epilogue.residual = residual.data();
      x.epilogue.ld_residual = ldc;
      x.epilogue.residual_scale = 0.5f;
      x.epilogue.activation = CORTEX_ACTIVATION_RELU;
      x.epilogue.c_type = c.type;
      x.epilogue.c_zero_point = bytes == 1 ? c.zero_point : 0;
    }
    k.rows[c.share / 2](&x);
  }
  for (int r = 0; r < rows; ++r) {
    const char* const row = out.as<char>() + r * ldc;
    for (int j = 0; j < c.n; ++j) {
      const double added = element(c.type, residual.as<char>() + r * ldc, j);
      const float expected = finish(c.type, want[size(r * c.n + j)], scale.as<float>()[r],
                                    bias.as<float>()[r], c.residual ? &added : nullptr, c.zero_point);
      ASSERT_EQ(element(c.type, row, j), static_cast<double>(expected))
          << k.name << " share " << c.share << " n " << c.n << " row " << r << " point " << j << " type "
          << c.type;
    }
    for (int64_t i = c.n * bytes; i < ldc && r + 1 < rows; ++i)
      ASSERT_EQ(row[i], before[size(r * ldc + i)]) << "beside C";
  }
}

TEST_P(SparseU8S8, RowsMatchExactSums) {
  std::mt19937 random(21);
  const int types[] = {CORTEX_ELEMENT_U8, CORTEX_ELEMENT_S8, CORTEX_ELEMENT_F32, CORTEX_ELEMENT_S32};
  for (const int share : {1, 2, 4}) {
    for (int n = 1; n <= CORTEX_SPARSE_VECTORS * kernels().points; n += 1 + (n > 70) * 6) {
      for (const int type : types) {
        const Case c{share,
                     1 + n % 4,
                     n,
                     1 + static_cast<int>(random() % 40),
                     type,
                     random() % 2 == 0,
                     random() % 3 == 0,
                     random() % 3 == 0,
                     random() % 2 ? 0 : static_cast<int>(random() % 100),
                     n % 2 ? Side::before : Side::after};
        check_rows(kernels(), c, random);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(SparseU8S8, GatherTakesTheBytesOfItsRuns) {
  std::mt19937 random(22);
  const int points = kernels().points;
  for (int round = 0; round < 200; ++round) {
    const int step = 1 + round % 3, together = step == 2 && round % 4 == 1 ? points / 4 : 1,
              channels = 1 + static_cast<int>(random() % 4);
    const int extent = points * step + 40, pitch = 6 * points;
    const int fill_byte = static_cast<int>(random() % 256), flip = round % 2 ? 0x80 : 0;
    GuardedBuffer src(size(channels * extent), round % 2 ? Side::before : Side::after);
    fill_bytes(src, random, false);
    const Gathered g = random_runs(points, pitch, channels, extent, step, together, 60, random);
    std::vector<uint8_t> panel(g.channels.size() * size(pitch), 7);
    cortex_sparse_gather_args x = g.args(src, extent, step, together);
    x.panel = panel.data();
    x.ld_panel = pitch;
    x.fill = fill_byte;
    x.flip = flip;
    kernels().gather(&x);
    for (std::size_t i = 0; i < g.channels.size(); ++i) {
      for (std::size_t j = 0; j < size(pitch); ++j) {
        const int64_t at = g.from[j];
        if (at == Gathered::any) continue;
        const int want = at == Gathered::untouched ? 7
                         : at < 0                  ? fill_byte
                                                   : src.as<uint8_t>()[g.channels[i] * extent + at] ^ flip;
        ASSERT_EQ(panel[i * size(pitch) + j], want)
            << kernels().name << " round " << round << " channel " << i << " byte " << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, SparseU8S8, testing::ValuesIn(all),
                         kernels_name<testing::TestParamInfo<Kernels>>);

}  // namespace
