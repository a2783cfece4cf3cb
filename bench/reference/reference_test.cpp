#include "bench/reference/reference.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cortex::bench {
namespace {

Problem parsed(const std::string& line) {
  Result<Problem> p = parse_problem(line);
  EXPECT_TRUE(p.ok()) << (p.ok() ? "" : p.error().message);
  return *p;
}

Operands operands_of(const Problem& p, uint64_t seed) {
  Result<Operands> o = make_operands(p, seed);
  EXPECT_TRUE(o.ok());
  return std::move(*o);
}

// The textbook loops over outputs, in double and rounded once: independent of Rows.
std::vector<float> naive(const Problem& p, const Operands& o) {
  std::vector<float> out(static_cast<std::size_t>(c_elements(p)));
  const float *a = o.a_data(), *b = o.b_data();
  if (p.is_matmul()) {
    const MatmulProblem& m = p.matmul();
    const MatmulBatches batches = matmul_batches(m);
    for (int64_t i = 0; i < c_elements(p); ++i) {
      const int64_t n = i % m.n, row = i / m.n % m.m, batch = i / (m.n * m.m);
      double sum = 0;
      for (int64_t k = 0; k < m.k; ++k) {
        const double x =
            a[batches.index_a[batch] * m.m * m.k + (m.a_transposed ? k * m.m + row : row * m.k + k)];
        const double y = b[batches.index_b[batch] * m.k * m.n + (m.b_transposed ? n * m.k + k : k * m.n + n)];
        sum += x * y;
      }
      if (p.epilogue.bias) sum += o.bias.as<float>()[n];
      out[i] = static_cast<float>(sum);
    }
    return out;
  }
  const ConvProblem& c = p.conv();
  const int64_t icg = c.ic / c.g, ocg = c.oc / c.g;
  for (int64_t i = 0; i < c_elements(p); ++i) {
    const int64_t oc = i % c.oc, ow = i / c.oc % c.ow, oh = i / (c.oc * c.ow) % c.oh;
    const int64_t n = i / (c.oc * c.ow * c.oh), g = oc / ocg;
    double sum = 0;
    for (int64_t ic = 0; ic < icg; ++ic) {
      for (int64_t kh = 0; kh < c.kh; ++kh) {
        for (int64_t kw = 0; kw < c.kw; ++kw) {
          const int64_t h = oh * c.sh - c.ph + kh * (c.dh + 1), w = ow * c.sw - c.pw + kw * (c.dw + 1);
          if (h < 0 || h >= c.ih || w < 0 || w >= c.iw) continue;
          sum += double(a[((n * c.ih + h) * c.iw + w) * c.ic + g * icg + ic]) *
                 double(b[(((g * c.kh + kh) * c.kw + kw) * icg + ic) * ocg + oc % ocg]);
        }
      }
    }
    if (p.epilogue.bias) sum += o.bias.as<float>()[oc];
    out[i] = static_cast<float>(p.epilogue.activation == Activation::relu ? std::max(sum, 0.0) : sum);
  }
  return out;
}

class Problems : public ::testing::TestWithParam<const char*> {};

TEST_P(Problems, AcceptTheRightAnswerAndNoOther) {
  const Problem p = parsed(GetParam());
  const Operands o = operands_of(p, 5);
  std::vector<float> answer = naive(p, o);
  ReferenceOptions sampled;
  sampled.full_check_flops = 0;
  for (const ReferenceOptions& options : {ReferenceOptions{}, sampled}) {
    const Reference reference(p, o, options);
    const Verdict right = reference.check(answer.data());
    EXPECT_TRUE(right.ok()) << right.where;
    // Shifting everything by one output is wrong everywhere.
    std::vector<float> shifted(answer.begin() + 1, answer.end());
    shifted.push_back(0);
    EXPECT_FALSE(reference.check(shifted.data()).ok());
    // NaN anywhere is found, sampled or not.
    for (std::size_t at : {std::size_t{0}, answer.size() / 2, answer.size() - 1}) {
      std::vector<float> bad = answer;
      bad[at] = NAN;
      EXPECT_FALSE(reference.check(bad.data()).ok()) << "output " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Problems,
                         ::testing::Values("mb2ic8ih9iw7oc12oh5ow4kh3kw3sh2sw2ph1pw1",
                                           "g3mb2ic6ih6oc9oh6kh3ph1", "g8mb1ic8ih7oc8oh7kh3ph1",
                                           "mb1ic5ih12oc7oh8kh3ph0dh1",
                                           "--bia_dt=f32 --attr-post-ops=relu mb1ic8ih6oc8oh6kh3ph1",
                                           "17x40:40x23", "--stag=ba --wtag=ba 17x40:40x23", "3x5x8:1x8x6",
                                           "1x5x8:4x8x6", "--bia_dt=f32 9x30:30x11"));

TEST(Reference, FullCheckFindsOneWrongBitOfWeight) {
  const Problem p = parsed("64x64:64x64");
  const Operands o = operands_of(p, 1);
  std::vector<float> answer = naive(p, o);
  const Reference reference(p, o);
  answer[1234] += 1e-3f;  // far above rounding, far below the values
  const Verdict v = reference.check(answer.data());
  EXPECT_FALSE(v.ok());
  EXPECT_NE(v.where.find("output 1234"), std::string::npos) << v.where;
}

TEST(Reference, ProjectionFindsARowThatSamplingMissed) {
  const Problem p = parsed("512x64:64x64");
  const Operands o = operands_of(p, 1);
  const std::vector<float> answer = naive(p, o);
  ReferenceOptions sampled;
  sampled.full_check_flops = 0;
  sampled.sampled_outputs = 64;
  const Reference reference(p, o, sampled);
  int found = 0;
  for (int64_t row = 0; row < 512; ++row) {
    std::vector<float> bad = answer;
    for (int64_t j = 0; j < 16; ++j) bad[static_cast<std::size_t>(row * 64 + j)] = 0;
    found += !reference.check(bad.data()).ok();
  }
  EXPECT_EQ(found, 512);
}

TEST(Operands, DependOnSeedAndProblemOnly) {
  const Problem p = parsed("4x8:8x4");
  const Operands a = operands_of(p, 1), b = operands_of(p, 1), c = operands_of(p, 2);
  EXPECT_EQ(a.a_data()[7], b.a_data()[7]);
  EXPECT_NE(a.a_data()[7], c.a_data()[7]);
  for (int i = 0; i < 32; ++i) {
    EXPECT_GE(a.a_data()[i], -1);
    EXPECT_LT(a.a_data()[i], 1);
  }
}

}  // namespace
}  // namespace cortex::bench
