// Accuracy of the activations over the whole range of f32, their behaviour at its ends, and array edges.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "microkernels/brgemm/brgemm_reference.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/testing/guarded_buffer.h"

namespace cortex {
namespace {

using testing::GuardedBuffer;
using testing::Side;

class EltwiseTest : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!supports(GetParam())) GTEST_SKIP() << "this machine has no " << isa_name(GetParam());
  }
  std::vector<float> activate(int activation, const std::vector<float>& x, float alpha = 0, float beta = 0) {
    std::vector<float> y(x.size());
    activate_function(GetParam())(activation, alpha, beta, x.data(), y.data(),
                                  static_cast<int64_t>(x.size()));
    return y;
  }
};

// Largest error in units of 2^-24 relative to the result (an ulp is one or two of them).
struct Bound {
  int activation;
  double low, high;  // range of x
  double units;
};

TEST_P(EltwiseTest, FewUlpsOff) {
  const Bound bounds[] = {
      {CORTEX_ACTIVATION_SIGMOID, -87, 100, 4},
      {CORTEX_ACTIVATION_TANH, -30, 30, 4},
      {CORTEX_ACTIVATION_TANH, -1e-3, 1e-3, 4},
      {CORTEX_ACTIVATION_GELU_ERF, -12.9, 100, 8},
      {CORTEX_ACTIVATION_GELU_ERF, -1e-3, 1e-3, 8},
      {CORTEX_ACTIVATION_GELU_TANH, -3, 100, 32},  // rounding of u, multiplied by its size
      {CORTEX_ACTIVATION_GELU_TANH, -9.5, -3, 400},
  };
  std::mt19937 random(3);
  for (const Bound& b : bounds) {
    std::uniform_real_distribution<double> uniform(b.low, b.high);
    std::vector<float> x(200000);
    for (float& v : x) v = static_cast<float>(uniform(random));
    const std::vector<float> y = activate(b.activation, x);
    cortex_epilogue e = {};
    e.activation = b.activation;
    double worst = 0, worst_x = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double want = testing::reference_activation(e, static_cast<double>(x[i]));
      const double ulp =
          std::max(std::abs(want) * static_cast<double>(FLT_EPSILON) / 2, static_cast<double>(FLT_TRUE_MIN));
      const double error = std::abs(static_cast<double>(y[i]) - want) / ulp;
      if (!(error <= worst)) worst = error, worst_x = static_cast<double>(x[i]);
    }
    EXPECT_LE(worst, b.units) << "activation " << b.activation << " at " << worst_x;
    RecordProperty(fmt::format("ulps_{}_{}", b.activation, b.low), fmt::format("{:.2f}", worst));
  }
}

TEST_P(EltwiseTest, EndsOfTheRange) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {-inf, -FLT_MAX, -200, 200, FLT_MAX, inf, nan, 0.0f, FLT_TRUE_MIN, -FLT_MIN};
  for (int activation = CORTEX_ACTIVATION_SIGMOID; activation <= CORTEX_ACTIVATION_GELU_TANH; ++activation) {
    const std::vector<float> y = activate(activation, x);
    const bool gelu = activation >= CORTEX_ACTIVATION_GELU_ERF;
    const float low = activation == CORTEX_ACTIVATION_TANH ? -1.0f : 0.0f;
    const float at_zero = activation == CORTEX_ACTIVATION_SIGMOID ? 0.5f : 0.0f;
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(y[i], low) << activation << " at " << x[i];
    for (size_t i = 3; i < 6; ++i) EXPECT_EQ(y[i], gelu ? x[i] : 1.0f) << activation << " at " << x[i];
    EXPECT_TRUE(std::isnan(y[6])) << activation;
    EXPECT_EQ(y[7], at_zero) << activation;
    EXPECT_NEAR(y[8], at_zero, FLT_MIN) << activation;
    EXPECT_NEAR(y[9], at_zero, FLT_MIN) << activation;
  }
  EXPECT_EQ(activate(CORTEX_ACTIVATION_RELU, x)[0], 0.0f);
  EXPECT_TRUE(std::isnan(activate(CORTEX_ACTIVATION_RELU, x)[6]));
  EXPECT_TRUE(std::isnan(activate(CORTEX_ACTIVATION_CLIP, x, -1, 1)[6]));
  EXPECT_EQ(activate(CORTEX_ACTIVATION_CLIP, x, -1, 1)[5], 1.0f);
  EXPECT_EQ(activate(CORTEX_ACTIVATION_RELU, {-2.0f}, 0.5f)[0], -1.0f);
}

TEST_P(EltwiseTest, ArraysBetweenGuardPagesAndInPlace) {
  for (int64_t n = 0; n <= 70; ++n) {
    for (Side side : {Side::before, Side::after}) {
      GuardedBuffer x(static_cast<size_t>(n) * 4, side), y(static_cast<size_t>(n) * 4, side);
      for (int64_t i = 0; i < n; ++i) x.as<float>()[i] = static_cast<float>(i) - 30;
      activate_function(GetParam())(CORTEX_ACTIVATION_CLIP, -3, 5, x.as<float>(), y.as<float>(), n);
      activate_function(GetParam())(CORTEX_ACTIVATION_CLIP, -3, 5, x.as<float>(), x.as<float>(), n);
      for (int64_t i = 0; i < n; ++i) {
        EXPECT_EQ(y.as<float>()[i], std::min(std::max(static_cast<float>(i) - 30, -3.0f), 5.0f));
        EXPECT_EQ(x.as<float>()[i], y.as<float>()[i]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, EltwiseTest, ::testing::Values(Isa::baseline, Isa::avx2, Isa::avx512),
                         [](const auto& test) { return std::string(isa_name(test.param)); });

}  // namespace
}  // namespace cortex
