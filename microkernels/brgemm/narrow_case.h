// One call of a narrow kernel, from its Case to the comparison with the contract.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "microkernels/brgemm/brgemm_reference.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/bf16.h"
#include "support/testing/guarded_buffer.h"

namespace cortex::testing {

struct NarrowCase {
  int64_t m, n, k, batch;
  int form = 0;  // strides, offsets, addresses
  bool accumulate = false, finish = true;
  Side side = Side::after;
  int64_t pad = 0;  // units or elements between rows
  int32_t c_type = CORTEX_ELEMENT_SUM;
  bool bias_n = false, bias_m = false, residual = false, in_place = false, scale = false,
       compensation = false;
  cortex_epilogue epilogue = {};
  cortex_row_window window = {};
  int extremes = 0;                // 1: 255 x -128, 2: 255 x 127
  std::vector<float> biases = {};  // of columns, in turn; empty: random ones
  cortex_tiles* tiles = nullptr;
  std::function<void()> settle = {};  // what completes the result, where the call is one of a series
  int64_t bands = 1;

  int64_t rows() const { return m * bands; }
};

inline int64_t size_of_c(int32_t type) {
  return type == CORTEX_ELEMENT_BF16 ? 2 : type == CORTEX_ELEMENT_U8 || type == CORTEX_ELEMENT_S8 ? 1 : 4;
}

class NarrowTest : public ::testing::TestWithParam<const KernelInfo*> {
 protected:
  void SetUp() override {
    if (!supports(GetParam()->isa)) GTEST_SKIP() << "this machine has no " << isa_name(GetParam()->isa);
  }
  bool integers() const { return GetParam()->c == "s32"; }
  int32_t sum() const { return integers() ? CORTEX_ELEMENT_S32 : CORTEX_ELEMENT_F32; }

  void fill_factors(GuardedBuffer& buffer, int extreme) {
    for (std::size_t i = 0; i < buffer.size(); ++i) {
      buffer.as<uint8_t>()[i] = extreme ? static_cast<uint8_t>(extreme) : static_cast<uint8_t>(random_());
    }
    if (integers()) return;
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (std::size_t i = 0; i + 1 < buffer.size(); i += 2) {
      const float x = uniform(random_);
      std::memcpy(buffer.as<char>() + i, reinterpret_cast<const char*>(&x) + 2, 2);
    }
  }
  void fill_floats(GuardedBuffer& buffer, float scale) {
    std::uniform_real_distribution<float> uniform(-scale, scale);
    for (std::size_t i = 0; i < buffer.size() / 4; ++i) buffer.as<float>()[i] = uniform(random_);
  }
  void fill_c(GuardedBuffer& buffer, int32_t type) {
    if (type == CORTEX_ELEMENT_F32) return fill_floats(buffer, 8);
    for (std::size_t i = 0; i < buffer.size(); ++i) buffer.as<uint8_t>()[i] = static_cast<uint8_t>(random_());
    if (type != CORTEX_ELEMENT_BF16) return;
    for (std::size_t i = 1; i < buffer.size(); i += 2) buffer.as<uint8_t>()[i] &= 0xbf;  // no huge ones
  }

  static double element(int32_t type, const char* p) {
    uint16_t half;
    int32_t whole;
    float x;
    switch (type) {
      case CORTEX_ELEMENT_BF16:
        std::memcpy(&half, p, 2);
        return static_cast<double>(from_bf16(half));
      case CORTEX_ELEMENT_U8:
        return *reinterpret_cast<const uint8_t*>(p);
      case CORTEX_ELEMENT_S8:
        return *reinterpret_cast<const int8_t*>(p);
      case CORTEX_ELEMENT_S32:
        std::memcpy(&whole, p, 4);
        return whole;
      default:
        std::memcpy(&x, p, 4);
        return static_cast<double>(x);
    }
  }

  void run(const NarrowCase& t) {
    const KernelInfo& kernel = *GetParam();
    const int32_t type = t.c_type == CORTEX_ELEMENT_SUM || !t.finish ? sum() : t.c_type;
    const int64_t lda = t.k + t.pad, ldb = t.n + t.pad, ldc = t.n + t.pad, size = size_of_c(type);
    const auto bytes = [](int64_t rows, int64_t pitch, int64_t row, int64_t elem) {
      return static_cast<std::size_t>(rows > 0 && row > 0 ? ((rows - 1) * pitch + row) * elem : 0);
    };
    GuardedBuffer a(bytes(t.batch * t.rows(), lda, t.k, 4), t.side),
        b(bytes(t.batch * t.k, ldb, t.n, 4), t.side);
    GuardedBuffer c(bytes(t.rows(), ldc, t.n, size), t.side), residual(c.size(), t.side);
    GuardedBuffer bias_n(bytes(1, t.n, t.n, 4), t.side), bias_m(bytes(1, t.m, t.m, 4), t.side);
    GuardedBuffer scale(bias_n.size(), t.side), compensation(bias_n.size(), t.side);
    fill_factors(a, t.extremes ? 255 : 0);
    fill_factors(b, t.extremes == 1 ? 128 : t.extremes == 2 ? 127 : 0);
    fill_c(c, type);
    fill_c(residual, type);
    fill_floats(bias_n, 20);
    for (std::size_t j = 0; j < bias_n.size() / 4 && !t.biases.empty(); ++j)
      bias_n.as<float>()[j] = t.biases[j % t.biases.size()];
    fill_floats(bias_m, 20);
    fill_floats(scale, 0.01f);
    for (int64_t j = 0; j < t.n; ++j)
      compensation.as<int32_t>()[j] = static_cast<int32_t>(random_() % 100000);

    cortex_brgemm_args args = {};
    args.a = a.data(), args.b = b.data(), args.c = c.data();
    args.m = t.m, args.n = t.n, args.k = t.k, args.batch = t.batch;
    args.lda = lda * 4, args.ldb = ldb * 4, args.ldc = ldc * size;
    std::vector<int64_t> a_offsets, b_offsets;
    std::vector<const void*> a_addresses, b_addresses;
    for (int64_t i = 0; i < t.batch; ++i) {
      a_offsets.push_back(i * t.rows() * lda * 4);
      b_offsets.push_back(i * t.k * ldb * 4);
      a_addresses.push_back(a.as<char>() + a_offsets.back());
      b_addresses.push_back(b.as<char>() + b_offsets.back());
    }
    args.a_batch_stride = t.rows() * lda * 4, args.b_batch_stride = t.k * ldb * 4;
    if (t.form == 1) args.a_offsets = a_offsets.data(), args.b_offsets = b_offsets.data();
    if (t.form == 2) args.a_addresses = a_addresses.data(), args.b_addresses = b_addresses.data();
    args.window = t.window;
    args.tiles = t.tiles;
    args.c_far = static_cast<uint32_t>(t.m + t.n) % 3;
    if (t.bands > 1) args.bands = t.bands, args.a_band = t.m * args.lda, args.c_band = t.m * args.ldc;
    args.flags = (t.accumulate ? static_cast<uint32_t>(CORTEX_TILE_ACCUMULATE) : 0u) |
                 (t.finish ? static_cast<uint32_t>(CORTEX_TILE_EPILOGUE) : 0u);
    cortex_epilogue& e = args.epilogue = t.epilogue;
    e.c_type = t.c_type;
    if (t.bias_n) e.bias_n = bias_n.as<float>();
    if (t.bias_m) e.bias_m = bias_m.as<float>();
    if (t.residual) e.residual = t.in_place ? c.data() : residual.data();
    e.ld_residual = ldc * size;
    if (t.scale && integers()) e.scale_n = scale.as<float>();
    if (t.compensation && integers()) e.compensation_n = compensation.as<int32_t>();

    const std::vector<char> before(c.as<char>(), c.as<char>() + c.size());
    std::vector<char> beside(residual.as<char>(), residual.as<char>() + residual.size());
    if (t.in_place) beside = before;
    kernel.brgemm(&args);
    if (t.settle) t.settle();

    for (int64_t i = 0; i < t.rows(); ++i) {
      for (int64_t j = 0; j < ldc; ++j) {
        const std::size_t at = static_cast<std::size_t>((i * ldc + j) * size);
        if (at >= c.size()) continue;
        const char* got = c.as<char>() + at;
        if (j >= t.n) {
          ASSERT_EQ(0, std::memcmp(&before[at], got, static_cast<std::size_t>(size))) << "past row " << i;
          continue;
        }
        compare(t, args, i, j, type, element(type, got), &before[at], beside.empty() ? nullptr : &beside[at]);
        if (HasFatalFailure()) return;
      }
    }
  }

  // The sum in integers, or in double with the magnitude of its terms.
  void sum_up(const NarrowCase& t, const cortex_brgemm_args& args, int64_t i, int64_t j, int64_t& whole,
              double& value, double& magnitude) const {
    for (int64_t b = 0; b < t.batch; ++b) {
      if (t.window.taps > 0) {
        const int64_t position =
            t.window.at + t.window.step * (i % t.m) + t.window.tap_step * (b % t.window.taps);
        if (position < 0 || position >= t.window.extent) continue;
      }
      for (int64_t l = 0; l < t.k; ++l) {
        const char* a = static_cast<const char*>(args.a) + b * t.rows() * args.lda + i * args.lda + l * 4;
        const char* w = static_cast<const char*>(args.b) + b * t.k * args.ldb + l * args.ldb + j * 4;
        for (int x = 0; x < (integers() ? 4 : 2); ++x) {
          if (integers()) {
            whole += int64_t{reinterpret_cast<const uint8_t*>(a)[x]} * reinterpret_cast<const int8_t*>(w)[x];
          } else {
            const double p =
                element(CORTEX_ELEMENT_BF16, a + 2 * x) * element(CORTEX_ELEMENT_BF16, w + 2 * x);
            value += p, magnitude += std::abs(p);
          }
        }
      }
    }
  }

  void compare(const NarrowCase& t, const cortex_brgemm_args& args, int64_t i, int64_t j, int32_t type,
               double got, const char* before, const char* residual) {
    const cortex_epilogue& e = args.epilogue;
    int64_t whole = 0;
    double value = 0, magnitude = 0;
    sum_up(t, args, i, j, whole, value, magnitude);
    if (t.accumulate) {
      const double c = element(sum(), before);
      whole += static_cast<int64_t>(integers() ? c : 0), value += c, magnitude += std::abs(c);
    }
    if (!t.finish) {
      if (integers()) {
        ASSERT_EQ(got, static_cast<int32_t>(whole)) << describe(t) << i << "," << j;
      } else {
        ASSERT_LE(std::abs(got - value), bound(t, magnitude)) << describe(t) << i << "," << j;
      }
      return;
    }
    const double r = t.residual ? element(type, residual) : 0;
    if (!integers()) {
      const auto add = [&](double x) { value += x, magnitude += std::abs(x); };
      if (e.bias_n) add(static_cast<double>(e.bias_n[j]));
      if (e.bias_m) add(static_cast<double>(e.bias_m[i % t.m]));
      if (t.residual && !e.residual_after_activation) add(r * static_cast<double>(e.residual_scale));
      value = reference_activation(e, value);
      if (t.residual && e.residual_after_activation) add(r * static_cast<double>(e.residual_scale));
      double allowed = bound(t, magnitude + 1);
      if (type == CORTEX_ELEMENT_BF16) allowed += (std::abs(value) + allowed) * 0x1p-8 + 1e-38;
      ASSERT_LE(std::abs(got - value), allowed) << describe(t) << i << "," << j << " want " << value;
      return;
    }
    if (e.compensation_n) whole += e.compensation_n[j];
    float v = static_cast<float>(static_cast<int32_t>(whole));
    volatile float step = v;  // one rounding each
    if (e.scale_n) step = step * e.scale_n[j];
    if (e.bias_n) step = step + e.bias_n[j];
    if (e.bias_m) step = step + e.bias_m[i % t.m];
    volatile float term = static_cast<float>(r) * e.residual_scale;
    if (t.residual && !e.residual_after_activation) step = step + term;
    step = static_cast<float>(reference_activation(e, static_cast<double>(step)));
    if (t.residual && e.residual_after_activation) step = step + term;
    double want = static_cast<double>(step);
    const bool curved = e.activation >= CORTEX_ACTIVATION_SIGMOID ||
                        (e.activation == CORTEX_ACTIVATION_RELU && e.alpha != 0.0f);
    if (type != CORTEX_ELEMENT_F32) {
      const double low = type == CORTEX_ELEMENT_U8 ? 0 : type == CORTEX_ELEMENT_S8 ? -128 : INT32_MIN;
      const double high = type == CORTEX_ELEMENT_U8 ? 255 : type == CORTEX_ELEMENT_S8 ? 127 : INT32_MAX;
      const int32_t zero = type == CORTEX_ELEMENT_S32 ? 0 : e.c_zero_point;
      want = std::isnan(want) ? low : std::min(std::max(std::nearbyint(want) + zero, low), high);
    }
    if (curved) {
      const double allowed =
          type == CORTEX_ELEMENT_F32 ? 1e-4 * (1 + std::abs(want)) : 1 + std::abs(want) * 0x1p-22;
      ASSERT_LE(std::abs(got - want), allowed) << describe(t);
    } else if (!std::isnan(want) || !std::isnan(got)) {
      ASSERT_EQ(got, want) << describe(t) << i << "," << j << " sum " << whole;
    }
  }

  static double bound(const NarrowCase& t, double magnitude) {
    const double terms = static_cast<double>(t.batch * t.k * 2) + 8;
    return terms * FLT_EPSILON / 2 / (1 - terms * FLT_EPSILON / 2) * magnitude * 1.2 + FLT_MIN;
  }

  static std::string describe(const NarrowCase& t) {
    return fmt::format(
        "m={} bands={} n={} k={} batch={} form={} accumulate={} finish={} side={} pad={} c={} activation={} "
        "residual={} in_place={} window={},{},{},{},{} extremes={} seed=1: element ",
        t.m, t.bands, t.n, t.k, t.batch, t.form, t.accumulate, t.finish, static_cast<int>(t.side), t.pad,
        t.c_type, t.epilogue.activation, t.residual, t.in_place, t.window.taps, t.window.at, t.window.step,
        t.window.tap_step, t.window.extent, t.extremes);
  }

  std::vector<int32_t> c_types() const {
    if (!integers()) return {CORTEX_ELEMENT_SUM, CORTEX_ELEMENT_BF16, CORTEX_ELEMENT_F32};
    return {CORTEX_ELEMENT_SUM, CORTEX_ELEMENT_U8, CORTEX_ELEMENT_S8, CORTEX_ELEMENT_F32, CORTEX_ELEMENT_S32};
  }
  std::vector<int64_t> column_counts() const {
    std::vector<int64_t> counts;
    for (int64_t n = 1; n <= GetParam()->nr; ++n) {
      const int64_t lane = n % GetParam()->lanes;
      if (n <= GetParam()->lanes || lane <= 1 || lane == GetParam()->lanes - 1) counts.push_back(n);
    }
    return counts;
  }

  std::mt19937 random_{1};
};

}  // namespace cortex::testing
