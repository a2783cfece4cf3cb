// NumPy files and quantization.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "graph/compress/npy.h"
#include "graph/compress/quantize.h"

namespace cortex {
namespace {

// As numpy.save(f, numpy.arange(12, dtype='<f4').reshape(2, 3, 2)) writes it, padded to 128 bytes.
std::string file(const std::string& dict, std::size_t data_bytes) {
  std::string header = dict;
  header.append(128 - 10 - header.size() - 1, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header + std::string(data_bytes, '\0');
}

TEST(Npy, ReadsWhatItWrites) {
  const std::vector<float> values = {0, 1, -2.5f, 3, 4, 5e-30f};
  const Result<NpyArray> array = parse_npy(to_npy({3, 2}, values), "a.npy");
  ASSERT_TRUE(array.ok()) << array.error().message;
  EXPECT_EQ(array->shape, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(array->values, values);
  EXPECT_EQ(to_npy({6}, values).size() % 64, 24u) << "the header is padded to 64 bytes";
}

TEST(Npy, ReadsOtherFloats) {
  std::string half = file("{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }", 0);
  half += std::string("\x00\x3c\x00\xc0\x01\x00", 6);  // 1, -2, 2^-24
  const Result<NpyArray> array = parse_npy(half, "h.npy");
  ASSERT_TRUE(array.ok()) << array.error().message;
  EXPECT_EQ(array->values, (std::vector<float>{1, -2, std::ldexp(1.0f, -24)}));
}

TEST(Npy, RefusesWhatItCannotRead) {
  const auto refusal = [](const std::string& bytes) {
    const Result<NpyArray> a = parse_npy(bytes, "w.npy");
    EXPECT_FALSE(a.ok());
    if (a) return std::string();
    EXPECT_EQ(a.error().message.rfind("w.npy: ", 0), 0u) << a.error().message;
    return a.error().message;
  };
  const std::string good = to_npy({2, 2}, std::vector<float>{1, 2, 3, 4});
  EXPECT_NE(refusal("").find("not a NumPy"), std::string::npos);
  EXPECT_NE(refusal("PK\x03\x04 whatever").find("not a NumPy"), std::string::npos);
  EXPECT_NE(refusal(good.substr(0, 40)).find("within its header"), std::string::npos);
  EXPECT_NE(refusal(good.substr(0, good.size() - 1)).find("needs 16 bytes"), std::string::npos);
  EXPECT_NE(refusal(good + "x").find("needs 16 bytes"), std::string::npos);
  EXPECT_NE(refusal(to_npy({1}, std::vector<float>{NAN})).find("not a finite"), std::string::npos);
  EXPECT_NE(refusal(to_npy({2}, std::vector<int8_t>{1, 2})).find("'|i1'"), std::string::npos);
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 4)).find("Fortran"),
            std::string::npos);
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': False, }", 4)).find("no shape"),
            std::string::npos);
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4)).find("no shape"),
            std::string::npos);
  EXPECT_NE(refusal(file("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", 4))
                .find("overflows"),
            std::string::npos);
}

TEST(Npy, FiltersHaveChannelsFastest) {
  NpyArray array{{2, 3, 1, 2}, {}};
  for (int i = 0; i < 12; ++i) array.values.push_back(static_cast<float>(i));
  const Result<FilterMatrix> w = filters_of(array, "w.npy");
  ASSERT_TRUE(w.ok());
  EXPECT_EQ(w->columns, 6);
  EXPECT_EQ(w->at(0, 1), 2) << "second channel of the first tap";
  EXPECT_EQ(w->at(1, 3), 7) << "first channel of the second tap";
  EXPECT_EQ(in_array_order(*w), array.values);
  EXPECT_FALSE(filters_of({{4}, {1, 2, 3, 4}}, "w.npy").ok());
  EXPECT_FALSE(filters_of({{0, 3}, {}}, "w.npy").ok());
}

TEST(Quantize, IntegersAreWithinHalfAStep) {
  FilterMatrix w{3, 4, 4, {1, -2, 0.5f, 0, 0, 0, 0, 0, 1e-3f, 2e-3f, -3e-3f, 0}};
  const Quantized q = quantize_weights(w, Calibration::min_max);
  EXPECT_EQ(q.scales[1], 1);
  for (int64_t r = 0; r < 3; ++r) {
    const float scale = q.scales[static_cast<std::size_t>(r)];
    for (int64_t c = 0; c < 4; ++c)
      EXPECT_LE(std::abs(scale * q.integers[static_cast<std::size_t>(4 * r + c)] - w.at(r, c)),
                0.5001f * scale);
  }
  EXPECT_EQ(q.integers[1], -127);
  EXPECT_EQ(q.integers[3], 0);
}

// With an outlier far out the entropy's range ends near the bulk, and most values are represented better.
TEST(Quantize, DenormalsDoNotDivideByAScaleOfZero) {
  for (const Calibration calibration : {Calibration::min_max, Calibration::entropy}) {
    const Quantized q = quantize_weights({1, 3, 3, {1e-45f, 0, -1e-45f}}, calibration);
    EXPECT_GT(q.scales[0], 0);
    EXPECT_EQ(q.integers, (std::vector<int8_t>{0, 0, 0}));
  }
}

TEST(Quantize, EntropyCutsOutliers) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> values;
  for (int i = 0; i < 50000; ++i) values.push_back(std::abs(normal(random)));
  const ActivationScale plain = calibrate_activations(values, Calibration::entropy);
  EXPECT_GT(255 * plain.scale, 2.5f) << "no outlier: most of the range stays";
  values.push_back(60);
  const ActivationScale cut = calibrate_activations(values, Calibration::entropy);
  const ActivationScale whole = calibrate_activations(values, Calibration::min_max);
  EXPECT_NEAR(255 * whole.scale, 60, 1e-3);
  EXPECT_LT(cut.scale, 0.3f * whole.scale);
  EXPECT_EQ(cut.zero_point, 0);
}

TEST(Quantize, ActivationsHoldZeroExactly) {
  const std::vector<float> values = {-1, 3, 2};
  const ActivationScale a = calibrate_activations(values, Calibration::min_max);
  EXPECT_NEAR(a.scale, 4.0f / 255, 1e-7);
  EXPECT_EQ(a.zero_point, 64);
  EXPECT_EQ(calibrate_activations(std::vector<float>{5, 6}, Calibration::min_max).zero_point, 0);
  EXPECT_EQ(calibrate_activations({}, Calibration::min_max).scale, 1);
}

}  // namespace
}  // namespace cortex
