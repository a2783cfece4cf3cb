// Rows against double, panels bit by bit, nothing touched beside the operands.
#include <gtest/gtest.h>

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
  cortex_sparse_fn rows[3];  // of 1, 2, 4
  cortex_sparse_fn patterns;
  cortex_sparse_gather_fn gather, gather_bf16;
};
#define KERNELS(isa, lanes)                                           \
  {                                                                   \
#isa, cortex::Isa::isa, lanes,                                    \
        {CORTEX_WHERE_BUILT(isa, cortex_sparse_rows1_##isa),          \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_rows2_##isa),          \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_rows4_##isa) },        \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_patterns4_##isa),      \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_gather_##isa),         \
         CORTEX_WHERE_BUILT(isa, cortex_sparse_gather_bf16_f32_##isa) \
  }
const Kernels all[] = {KERNELS(baseline, CORTEX_SPARSE_LANES_BASELINE),
                       KERNELS(avx2, CORTEX_SPARSE_LANES_AVX2), KERNELS(avx512, CORTEX_SPARSE_LANES_AVX512)};

class Sparse : public KernelTest<Kernels> {};

struct Case {
  int share, groups, n, columns;  // columns of the panel
  int sums;                       // 0: none, 1: elsewhere, 2: C
  bool epilogue;
  bool placed;
  Side side;
  bool bf16 = false;  // C and residual, with the epilogue
  bool patterns = false;
  bool far = false;  // C is to go past the caches: whole lines, no residual
};

// Lists of four rows whose weights are zero here and there, as patterns4 takes them; the weights are made
// zero.
struct Patterns {
  std::vector<int32_t> words;
  std::vector<float> values;
  std::vector<uint32_t> offsets;
};

Patterns split(const std::vector<int>& lists, const std::vector<int32_t>& counts, int pitch,
               const GuardedBuffer& values, std::mt19937& random) {
  Patterns p;
  std::size_t first = 0;
  for (const int32_t count : counts) {
    std::vector<std::vector<std::size_t>> by_rows(16);
    for (std::size_t e = first; e < first + static_cast<std::size_t>(count); ++e) {
      unsigned rows = 0;
      for (std::size_t t = 0; t < 4; ++t) {
        if (random() % 2) {
          rows |= 1u << t;
        } else {
          values.as<float>()[4 * e + t] = 0;
        }
      }
      by_rows[rows].push_back(e);
    }
    for (unsigned rows = 1; rows < 16; ++rows) {
      if (by_rows[rows].empty()) continue;
      p.words.push_back(static_cast<int32_t>(by_rows[rows].size() << 4 | rows));
      for (const std::size_t e : by_rows[rows]) {
        p.offsets.push_back(static_cast<uint32_t>(lists[e] * pitch * 4));
        for (std::size_t t = 0; t < 4; ++t)
          if (rows >> t & 1) p.values.push_back(values.as<float>()[4 * e + t]);
      }
    }
    p.words.push_back(0);
    first += static_cast<std::size_t>(count);
  }
  return p;
}

void check_rows(const Kernels& k, const Case& c, std::mt19937& random) {
  const int rows = c.share * c.groups, vectors = (c.n + k.lanes - 1) / k.lanes;
  const int pitch = CORTEX_SPARSE_VECTORS * k.lanes, ldc = c.far ? c.n : c.n + 3;
  // Of every vector some lanes, in order, each vector's behind those of the one before.
  std::vector<cortex_sparse_place> places;
  std::vector<int> lane_of;  // an element of C's, -1: none
  for (int v = 0; v < vectors && c.placed; ++v) {
    cortex_sparse_place place{static_cast<int32_t>(lane_of.size()), 0, {}};
    for (int i = 0; i < k.lanes && v * k.lanes + i < c.n; ++i) {
      if (random() % 4 == 0) continue;
      place.lane[place.count++] = static_cast<uint8_t>(i);
      lane_of.push_back(v * k.lanes + i);
    }
    places.push_back(place);
  }
  for (int j = 0; j < c.n && !c.placed; ++j) lane_of.push_back(j);
  const int width = static_cast<int>(lane_of.size());
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
  GuardedBuffer offsets(lists.size() * 4, c.side),
      values(lists.size() * 4 * static_cast<std::size_t>(c.share), c.side);
  GuardedBuffer count(counts.size() * 4, c.side), bias(floats(rows), c.side);
  const int extent = (rows - 1) * ldc + width, sums_extent = (rows - 1) * ldc + c.n;
  const auto elements = [&](int n) { return static_cast<std::size_t>(n) * (c.bf16 ? 2 : 4); };
  GuardedBuffer sums(floats(sums_extent), c.side), residual(elements(extent), c.side),
      out(elements(extent), c.side);
  for (const GuardedBuffer* b : {&panel, &values, &bias, &sums}) fill_f32(*b, random);
  for (const GuardedBuffer* b : {&residual, &out}) (c.bf16 ? fill_bf16 : fill_f32)(*b, random);
  const auto element = [&](const GuardedBuffer& b, std::size_t i) {
    return c.bf16 ? cortex::from_bf16(b.as<uint16_t>()[i]) : b.as<float>()[i];
  };
  for (std::size_t i = 0; i < lists.size(); ++i)
    offsets.as<uint32_t>()[i] = static_cast<uint32_t>(lists[i] * pitch * 4);
  std::memcpy(count.data(), counts.data(), count.size());
  if (c.sums == 2) std::memcpy(out.data(), sums.data(), sums.size());
  std::vector<float> before;
  for (std::size_t i = 0; i < static_cast<std::size_t>(extent); ++i) before.push_back(element(out, i));

  const GuardedNext next(3, c.side);
  cortex_sparse_args x{};
  x.panel = panel.data();
  x.offsets = offsets.as<uint32_t>();
  x.values = values.as<float>();
  x.counts = count.as<int32_t>();
  x.groups = c.groups;
  x.n = c.n;
  x.next = next.next();
  x.c = out.data();
  x.ld_sums = 4 * ldc;
  x.ldc = static_cast<int64_t>(elements(ldc));
  if (c.sums) x.sums = c.sums == 1 ? sums.data() : out.data();
  if (c.placed) x.places = places.data();
  if (c.epilogue) {
    x.flags = CORTEX_TILE_EPILOGUE;
    x.epilogue.bias_m = bias.as<float>();
    x.c_far = c.far ? 2 : 0;
    if (!c.far) x.epilogue.residual = residual.data();
    x.epilogue.ld_residual = x.ldc;
    if (c.bf16) x.epilogue.c_type = CORTEX_ELEMENT_BF16;
    x.epilogue.residual_scale = 0.5f;
    x.epilogue.activation = CORTEX_ACTIVATION_RELU;
  }
  const Patterns patterns = c.patterns ? split(lists, counts, pitch, values, random) : Patterns{};
  GuardedBuffer words(patterns.words.size() * 4, c.side), kept(patterns.values.size() * 4, c.side),
      at_columns(patterns.offsets.size() * 4, c.side);
  if (c.patterns) {
    std::memcpy(words.data(), patterns.words.data(), words.size());
    std::memcpy(kept.data(), patterns.values.data(), kept.size());
    std::memcpy(at_columns.data(), patterns.offsets.data(), at_columns.size());
    x.counts = words.as<int32_t>();
    x.values = kept.data();
    x.offsets = at_columns.as<uint32_t>();
  }
  (c.patterns ? k.patterns : k.rows[c.share / 2])(&x);

  std::size_t list = 0;
  for (int g = 0; g < c.groups; list += static_cast<std::size_t>(counts[static_cast<std::size_t>(g++)])) {
    for (int t = 0; t < c.share; ++t) {
      const int row = g * c.share + t;
      for (int column = 0; column < (row + 1 < rows ? ldc : width); ++column) {
        const auto at = static_cast<std::size_t>(row * ldc + column);
        const float got = element(out, at);
        if (column >= width) {
          ASSERT_EQ(got, before[at]) << "beside C";
          continue;
        }
        const int j = lane_of[static_cast<std::size_t>(column)];
        double sum = c.sums ? sums.as<float>()[static_cast<std::size_t>(row * ldc + j)] : 0,
               size = std::abs(sum);
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
          sum += bias.as<float>()[row] + (c.far ? 0.0 : 0.5 * static_cast<double>(element(residual, at)));
          size += 2;
          sum = std::max(sum, 0.0);
        }
        const double rounded = c.bf16 ? std::abs(sum) * 0x1p-8 : 0;
        ASSERT_LE(std::abs(got - sum), (c.columns + 4) * 6e-8 * size + rounded)
            << k.name << " share " << c.share << " n " << c.n << " row " << row << " point " << j;
      }
    }
  }
}

TEST_P(Sparse, RowsMatchDouble) {
  std::mt19937 random(11);
  for (const int share : {1, 2, 4}) {
    for (int n = 1; n <= CORTEX_SPARSE_VECTORS * kernels().lanes; ++n) {
      Case c{share, 1 + n % 4,         n,     1 + static_cast<int>(random() % 40),
             n % 3, random() % 2 == 0, false, n % 2 ? Side::before : Side::after};
      check_rows(kernels(), c, random);
      c.patterns = share == 4;
      if (c.patterns) check_rows(kernels(), c, random);
      if (n % 16 == 0) {
        Case far = c;
        far.epilogue = far.far = true;
        far.sums = 0;
        far.side = Side::before;  // it starts with a page
        check_rows(kernels(), far, random);
      }
      c.bf16 = c.epilogue = true;
      c.sums = n % 2;
      check_rows(kernels(), c, random);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(Sparse, LanesGoToTheirPlaces) {
  std::mt19937 random(13);
  for (const int share : {1, 2, 4}) {
    for (int round = 0; round < 40; ++round) {
      const int vectors = 1 + round % CORTEX_SPARSE_VECTORS;
      const Case c{share,
                   1 + round % 4,
                   vectors * kernels().lanes,
                   20,
                   round % 2,
                   true,
                   true,
                   round % 2 ? Side::before : Side::after,
                   round % 4 >= 2,
                   share == 4 && round % 3 != 0};
      check_rows(kernels(), c, random);
      if (HasFatalFailure()) return;
    }
  }
}

void check_gather(const Kernels& k, bool bf16) {
  std::mt19937 random(12);
  const int lanes = k.lanes, elem = bf16 ? 2 : 4;
  for (int round = 0; round < 200; ++round) {
    const int step = 1 + round % 3, channels = 1 + static_cast<int>(random() % 4);
    const int extent = lanes * step + 40, pitch = 6 * lanes;
    GuardedBuffer src(size(elem * channels * extent), round % 2 ? Side::before : Side::after);
    (bf16 ? fill_bf16 : fill_f32)(src, random);
    const Gathered g = random_runs(lanes, pitch, channels, extent, step, 1, 20, random);
    std::vector<float> panel(g.channels.size() * size(pitch), 7.0f);
    cortex_sparse_gather_args x = g.args(src, elem * extent, step, 0);
    x.panel = panel.data();
    x.ld_panel = 4 * pitch;
    (bf16 ? k.gather_bf16 : k.gather)(&x);
    for (std::size_t i = 0; i < g.channels.size(); ++i) {
      for (std::size_t j = 0; j < size(pitch); ++j) {
        const int64_t at = g.from[j];
        if (at == Gathered::any) continue;
        const int64_t element = g.channels[i] * extent + at;
        const float want = at == Gathered::untouched ? 7.0f
                           : at < 0                  ? 0
                           : bf16                    ? cortex::from_bf16(src.as<uint16_t>()[element])
                                                     : src.as<float>()[element];
        ASSERT_EQ(panel[i * size(pitch) + j], want)
            << k.name << " round " << round << " channel " << i << " element " << j;
      }
    }
  }
}

TEST_P(Sparse, GatherTakesTheElementsOfItsRuns) { check_gather(kernels(), false); }

TEST_P(Sparse, GatherWidensBf16) { check_gather(kernels(), true); }

INSTANTIATE_TEST_SUITE_P(Isas, Sparse, testing::ValuesIn(all), kernels_name<testing::TestParamInfo<Kernels>>);

}  // namespace
