// Rows against double, panels bit by bit, nothing touched beside the operands.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "cortex/sparse_kernels.h"
#include "support/cpu.h"
#include "support/testing/guarded_buffer.h"

namespace {

using cortex::testing::GuardedBuffer;
using cortex::testing::Side;

struct Kernels {
  const char* name;
  cortex::Isa isa;
  int lanes;
  cortex_sparse_fn rows[3];  // of 1, 2, 4
  cortex_sparse_gather_fn gather;
};
#define KERNELS(isa, lanes)                                                                 \
  {                                                                                         \
#isa, cortex::Isa::isa, lanes,                                                          \
        {cortex_sparse_rows1_##isa, cortex_sparse_rows2_##isa, cortex_sparse_rows4_##isa }, \
         cortex_sparse_gather_##isa                                                         \
  }
const Kernels all[] = {KERNELS(baseline, CORTEX_SPARSE_LANES_BASELINE),
                       KERNELS(avx2, CORTEX_SPARSE_LANES_AVX2), KERNELS(avx512, CORTEX_SPARSE_LANES_AVX512)};

class Sparse : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (cortex::detected_isa() < kernels().isa) GTEST_SKIP() << "this CPU has no " << kernels().name;
  }
  const Kernels& kernels() const { return all[GetParam()]; }
};

void fill(const GuardedBuffer& buffer, std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t i = 0; i < buffer.size() / 4; ++i) buffer.as<float>()[i] = uniform(random);
}

struct Case {
  int share, groups, n, columns;  // columns of the panel
  int sums;                       // 0: none, 1: elsewhere, 2: C
  bool epilogue;
  Side side;
};

void check_rows(const Kernels& k, const Case& c, std::mt19937& random) {
  const int rows = c.share * c.groups, vectors = (c.n + k.lanes - 1) / k.lanes;
  const int pitch = CORTEX_SPARSE_VECTORS * k.lanes, ldc = c.n + 3;
  std::vector<int32_t> counts;
  std::vector<int> lists;
  for (int g = 0; g < c.groups; ++g) {
    int count = 0;
    for (int i = 0; i < c.columns; ++i)
      if (random() % 3 == 0) lists.push_back(i), ++count;
    counts.push_back(count);
  }
  const auto floats = [](int n) { return static_cast<std::size_t>(n) * 4; };
  // The last column ends with its last vector.
  GuardedBuffer panel(floats((c.columns - 1) * pitch + vectors * k.lanes), c.side);
  GuardedBuffer offsets(lists.size() * 2, c.side),
      values(lists.size() * 4 * static_cast<std::size_t>(c.share), c.side);
  GuardedBuffer count(counts.size() * 4, c.side), bias(floats(rows), c.side);
  const int extent = (rows - 1) * ldc + c.n;
  GuardedBuffer sums(floats(extent), c.side), residual(floats(extent), c.side), out(floats(extent), c.side);
  for (const GuardedBuffer* b : {&panel, &values, &bias, &sums, &residual, &out}) fill(*b, random);
  for (std::size_t i = 0; i < lists.size(); ++i)
    offsets.as<uint16_t>()[i] = static_cast<uint16_t>(lists[i] * pitch * 4 / CORTEX_SPARSE_OFFSET_UNIT);
  std::memcpy(count.data(), counts.data(), count.size());
  if (c.sums == 2) std::memcpy(out.data(), sums.data(), sums.size());
  std::vector<float> before(out.as<float>(), out.as<float>() + extent);

  cortex_sparse_args x{};
  x.panel = panel.data();
  x.offsets = offsets.as<uint16_t>();
  x.values = values.as<float>();
  x.counts = count.as<int32_t>();
  x.groups = c.groups;
  x.n = c.n;
  x.c = out.data();
  x.ldc = x.ld_sums = 4 * ldc;
  if (c.sums) x.sums = c.sums == 1 ? sums.data() : out.data();
  if (c.epilogue) {
    x.flags = CORTEX_TILE_EPILOGUE;
    x.epilogue.bias_m = bias.as<float>();
    x.epilogue.residual = residual.data();
    x.epilogue.ld_residual = 4 * ldc;
    x.epilogue.residual_scale = 0.5f;
    x.epilogue.activation = CORTEX_ACTIVATION_RELU;
  }
  k.rows[c.share / 2](&x);

  std::size_t list = 0;
  for (int g = 0; g < c.groups; list += static_cast<std::size_t>(counts[static_cast<std::size_t>(g++)])) {
    for (int t = 0; t < c.share; ++t) {
      const int row = g * c.share + t;
      for (int j = 0; j < (row + 1 < rows ? ldc : c.n); ++j) {
        const auto at = static_cast<std::size_t>(row * ldc + j);
        const float got = out.as<float>()[at];
        if (j >= c.n) {
          ASSERT_EQ(got, before[at]) << "beside C";
          continue;
        }
        double sum = c.sums ? sums.as<float>()[at] : 0, size = std::abs(sum);
        for (int i = 0; i < counts[static_cast<std::size_t>(g)]; ++i) {
          const std::size_t e = list + static_cast<std::size_t>(i);
          const double p =
              double{
                  values.as<float>()[e * static_cast<std::size_t>(c.share) + static_cast<std::size_t>(t)]} *
              panel.as<float>()[lists[e] * pitch + j];
          sum += p;
          size += std::abs(p);
        }
        if (c.epilogue) {
          sum += bias.as<float>()[row] + 0.5 * residual.as<float>()[at];
          size += 2;
          sum = std::max(sum, 0.0);
        }
        ASSERT_LE(std::abs(got - sum), (c.columns + 4) * 6e-8 * size)
            << k.name << " share " << c.share << " n " << c.n << " row " << row << " point " << j;
      }
    }
  }
}

TEST_P(Sparse, RowsMatchDouble) {
  std::mt19937 random(11);
  for (const int share : {1, 2, 4}) {
    for (int n = 1; n <= CORTEX_SPARSE_VECTORS * kernels().lanes; ++n) {
      const Case c{share,
                   1 + n % 4,
                   n,
                   1 + static_cast<int>(random() % 40),
                   n % 3,
                   random() % 2 == 0,
                   n % 2 ? Side::before : Side::after};
      check_rows(kernels(), c, random);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(Sparse, GatherTakesTheLanesOfItsPieces) {
  std::mt19937 random(12);
  const int lanes = kernels().lanes;
  for (int round = 0; round < 200; ++round) {
    const int step = 1 + round % 3, vectors = 1 + static_cast<int>(random() % CORTEX_SPARSE_VECTORS);
    const int taps = 1 + static_cast<int>(random() % 3), channels = 1 + static_cast<int>(random() % 4);
    const bool single = random() % 2 == 0;
    const int extent = lanes * step + 40;
    GuardedBuffer src(static_cast<std::size_t>(4 * channels * extent),
                      round % 2 ? Side::before : Side::after);
    fill(src, random);
    std::vector<cortex_sparse_piece> pieces;
    std::vector<int32_t> first{0};
    for (int v = 0; v < taps * vectors; ++v) {
      const int cut = single ? lanes : static_cast<int>(random() % static_cast<unsigned>(lanes + 1));
      for (const auto& [from, to] : {std::pair{0, cut}, std::pair{cut, lanes}}) {
        if (from == to) continue;
        // Lane 0 may be where no operand is, as long as the lanes that are asked for are inside.
        const auto offset = static_cast<int64_t>(random() % 40) - (from ? 1 : 0);
        cortex_sparse_piece p{offset, 0, 0};
        for (int i = from; i < to; ++i) {
          const int64_t at = offset + i * step;
          if (at < 0 || at >= extent || random() % 8 == 0) continue;
          p.lanes |= 1u << i;
          p.spread |= 1u << (2 * i);
        }
        pieces.push_back(p);
      }
      first.push_back(static_cast<int32_t>(pieces.size()));
    }
    std::vector<cortex_sparse_column> columns;
    for (int i = 0; i < 5; ++i)
      columns.push_back({static_cast<int32_t>(random() % static_cast<unsigned>(channels)),
                         static_cast<int32_t>(random() % static_cast<unsigned>(taps))});
    const int pitch = CORTEX_SPARSE_VECTORS * lanes;
    std::vector<float> panel(columns.size() * static_cast<std::size_t>(pitch), 7.0f);
    cortex_sparse_gather_args x{};
    x.src = src.data();
    x.ld_channel = 4 * extent;
    x.columns = columns.data();
    x.count = static_cast<int64_t>(columns.size());
    x.pieces = pieces.data();
    x.first_piece = single ? nullptr : first.data();
    x.vectors = vectors;
    x.step = step;
    x.panel = panel.data();
    x.ld_panel = 4 * pitch;
    kernels().gather(&x);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (int j = 0; j < pitch; ++j) {
        float want = j < vectors * lanes ? 0 : 7.0f;
        for (int p = j < vectors * lanes
                         ? first[static_cast<std::size_t>(columns[i].tap * vectors + j / lanes)]
                         : 0;
             j < vectors * lanes &&
             p < first[static_cast<std::size_t>(columns[i].tap * vectors + j / lanes + 1)];
             ++p) {
          const cortex_sparse_piece& piece = pieces[static_cast<std::size_t>(p)];
          if (piece.lanes >> (j % lanes) & 1)
            want = src.as<float>()[columns[i].channel * extent + piece.offset + step * (j % lanes)];
        }
        ASSERT_EQ(panel[i * static_cast<std::size_t>(pitch) + static_cast<std::size_t>(j)], want)
            << kernels().name << " round " << round << " column " << i << " lane " << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Sparse, testing::Range(0, 3), [](const auto& p) { return all[p.param].name; });

}  // namespace
