// The depthwise kernels against their contract: directed and random windows that hang over every edge,
// operands between guard pages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
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

struct Case {
  int64_t channels = 16, outputs = 1, rows = 1;
  int64_t d0 = 0, h0 = 0, w0 = 0;
  int64_t in_d = 1, in_h = 3, in_w = 3;
  int64_t kd = 1, kh = 3, kw = 3;
  int64_t stride_h = 1, stride_w = 1, dilation_d = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad = 0;  // channels between columns of input, weights and output beyond the kernel's
  Side side = Side::after;
  bool accumulate = false, with_epilogue = false, bias = false, residual = false, in_place = false;
  cortex_epilogue epilogue = {};
};

std::string describe(const Case& t) {
  return fmt::format(
      "channels={} outputs={}x{} corner=({},{},{}) input=({},{},{}) window=({},{},{}) stride=({},{}) "
      "dilation=({},{},{}) pad={} accumulate={} epilogue={} activation={} residual={} in_place={} after={}",
      t.channels, t.rows, t.outputs, t.d0, t.h0, t.w0, t.in_d, t.in_h, t.in_w, t.kd, t.kh, t.kw, t.stride_h,
      t.stride_w, t.dilation_d, t.dilation_h, t.dilation_w, t.pad, t.accumulate, t.with_epilogue,
      t.epilogue.activation, t.residual, t.in_place, t.epilogue.residual_after_activation);
}

class DwconvTest : public ::testing::TestWithParam<const KernelInfo*> {
 protected:
  void SetUp() override {
    if (!supports(GetParam()->isa)) GTEST_SKIP() << "this machine has no " << isa_name(GetParam()->isa);
  }
  void TearDown() override {
    if (!IsSkipped()) fmt::print("[  RATIO   ] largest error is {:.3f} of its bound\n", largest_ratio_);
  }

  int64_t uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }

  void fill(GuardedBuffer& buffer) {
    std::uniform_real_distribution<float> value(-1, 1);
    for (size_t i = 0; i < buffer.size() / 4; ++i) buffer.as<float>()[i] = value(random_);
  }

  void run(const Case& t) {
    const int64_t pitch = t.channels + t.pad;
    const auto bytes = [&](int64_t columns) {
      return static_cast<size_t>(((columns - 1) * pitch + t.channels) * 4);
    };
    GuardedBuffer input(bytes(t.in_d * t.in_h * t.in_w), t.side), weights(bytes(t.kd * t.kh * t.kw), t.side);
    // Rows of outputs lie `pad` columns apart, rows of the residual one more.
    const int64_t row = t.outputs + t.pad, residual_row = row + 1;
    GuardedBuffer output(bytes((t.rows - 1) * row + t.outputs), t.side),
        residual(bytes((t.rows - 1) * residual_row + t.outputs), t.side);
    GuardedBuffer bias(static_cast<size_t>(t.channels * 4), t.side);
    for (GuardedBuffer* buffer : {&input, &weights, &output, &residual, &bias}) fill(*buffer);
    if (!t.accumulate && !t.in_place) {
      std::fill_n(output.as<float>(), output.size() / 4, std::numeric_limits<float>::quiet_NaN());
    }
    const std::vector<float> before(output.as<float>(), output.as<float>() + output.size() / 4);

    cortex_dwconv_args args = {};
    args.input = input.data(), args.weights = weights.data(), args.output = output.data();
    args.channels = t.channels, args.outputs = t.outputs, args.rows = t.rows;
    args.d0 = t.d0, args.h0 = t.h0, args.w0 = t.w0;
    args.in_d = t.in_d, args.in_h = t.in_h, args.in_w = t.in_w;
    args.kd = t.kd, args.kh = t.kh, args.kw = t.kw;
    args.stride_h = t.stride_h, args.stride_w = t.stride_w;
    args.dilation_d = t.dilation_d, args.dilation_h = t.dilation_h, args.dilation_w = t.dilation_w;
    args.in_stride_w = args.w_stride_w = args.out_stride = pitch * 4;
    args.out_stride_h = row * pitch * 4;
    args.residual_stride_h = (t.in_place ? row : residual_row) * pitch * 4;
    args.in_stride_h = t.in_w * pitch * 4, args.in_stride_d = t.in_h * args.in_stride_h;
    args.w_stride_h = t.kw * pitch * 4, args.w_stride_d = t.kh * args.w_stride_h;
    if (t.accumulate) args.flags |= CORTEX_TILE_ACCUMULATE;
    if (t.with_epilogue) args.flags |= CORTEX_TILE_EPILOGUE;
    args.epilogue = t.epilogue;
    if (t.bias) args.epilogue.bias_n = bias.as<float>();
    if (t.residual) args.epilogue.residual = t.in_place ? output.as<float>() : residual.as<float>();
    args.epilogue.ld_residual = pitch * 4;
    const GuardedBuffer& added = t.in_place ? output : residual;
    const std::vector<float> residual_before(added.as<float>(), added.as<float>() + added.size() / 4);
    GetParam()->dwconv(&args);

    std::vector<bool> written(before.size());
    for (int64_t y = 0; y < t.rows; ++y) {
      for (int64_t x = 0; x < t.outputs; ++x) {
        for (int64_t c = 0; c < t.channels; ++c) {
          const auto i = static_cast<size_t>((y * row + x) * pitch + c);
          written[i] = true;
          const float r = t.residual ? residual_before[static_cast<size_t>(
                                           (y * (t.in_place ? row : residual_row) + x) * pitch + c)]
                                     : 0;
          check(t, y, x, c, input.as<float>(), weights.as<float>(), t.bias ? bias.as<float>()[c] : 0, r,
                before[i], output.as<float>()[i]);
          if (HasFatalFailure()) return;
        }
      }
    }
    for (size_t i = 0; i < before.size(); ++i) {
      if (written[i]) continue;
      ASSERT_EQ(0, std::memcmp(&before[i], output.as<float>() + i, 4))
          << describe(t) << " wrote between rows";
    }
  }

  // One output against the contract.
  void check(const Case& t, int64_t y, int64_t x, int64_t c, const float* input, const float* weights,
             float bias, float residual, float before, float got) {
    const int64_t pitch = t.channels + t.pad;
    double v = 0, scale = 0;
    const auto add = [&](double term) { v += term, scale += std::abs(term); };
    for (int64_t d = 0; d < t.kd; ++d) {
      for (int64_t h = 0; h < t.kh; ++h) {
        for (int64_t w = 0; w < t.kw; ++w) {
          const int64_t plane = t.d0 + d * t.dilation_d, line = t.h0 + y * t.stride_h + h * t.dilation_h;
          const int64_t column = t.w0 + x * t.stride_w + w * t.dilation_w;
          if (plane < 0 || plane >= t.in_d || line < 0 || line >= t.in_h || column < 0 || column >= t.in_w)
            continue;
          add(static_cast<double>(input[((plane * t.in_h + line) * t.in_w + column) * pitch + c]) *
              static_cast<double>(weights[((d * t.kh + h) * t.kw + w) * pitch + c]));
        }
      }
    }
    if (t.accumulate) add(static_cast<double>(before));
    if (t.with_epilogue) {
      const cortex_epilogue& e = t.epilogue;
      const double r = static_cast<double>(residual) * static_cast<double>(e.residual_scale);
      add(static_cast<double>(bias));
      if (!e.residual_after_activation) add(r);
      v = testing::reference_activation(e, v);
      scale += std::abs(v);
      if (e.residual_after_activation) add(r);
    }
    const double terms = static_cast<double>(t.kd * t.kh * t.kw) + 8;
    const double bound = terms * FLT_EPSILON / 2 / (1 - terms * FLT_EPSILON / 2) * scale + FLT_MIN;
    const double error = std::abs(static_cast<double>(got) - v);
    largest_ratio_ = std::max(largest_ratio_, error / bound);
    ASSERT_LE(error, bound) << describe(t) << " output " << y << "," << x << " channel " << c << " got "
                            << got << " want " << v << " seed " << seed_;
  }

  static constexpr unsigned seed_ = 11;
  std::mt19937 random_{seed_};
  double largest_ratio_ = 0;
};

// Padded images, for every size of block, and every channel count around the vectors.
TEST_P(DwconvTest, PaddedImages) {
  const int lanes = GetParam()->lanes;
  for (int64_t k : {3, 5, 7}) {
    for (int64_t stride : {1, 2}) {
      for (int64_t width = 1; width <= 16; ++width) {
        for (int64_t height : {1, 2, 4, 5, 9}) {
          Case t;
          t.channels = uniform(1, 2 * lanes + 1);
          t.kh = t.kw = k, t.in_h = height, t.in_w = width, t.stride_h = t.stride_w = stride;
          t.w0 = t.h0 = -(k / 2);
          t.outputs = (width + 2 * (k / 2) - k) / stride + 1;
          t.rows = (height + 2 * (k / 2) - k) / stride + 1;
          t.side = width % 2 ? Side::before : Side::after;
          t.with_epilogue = t.bias = width % 3 > 0;
          t.epilogue.activation = width % 3 > 1 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
          run(t);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(DwconvTest, EveryNumberOfChannels) {
  for (int64_t channels = 1; channels <= 4 * GetParam()->lanes + 1; ++channels) {
    for (Side side : {Side::before, Side::after}) {
      Case t;
      t.channels = channels, t.in_h = 5, t.in_w = 9, t.w0 = t.h0 = -1, t.rows = 5, t.outputs = 9;
      t.side = side;
      t.with_epilogue = t.bias = t.residual = true;
      t.epilogue.residual_scale = 1;
      t.epilogue.activation = CORTEX_ACTIVATION_RELU;
      run(t);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(DwconvTest, RandomWindows) {
  for (int i = 0; i < 4000; ++i) {
    Case t;
    t.channels = uniform(1, 40), t.outputs = uniform(1, 20), t.rows = uniform(1, 6);
    t.kd = uniform(0, 3) ? 1 : uniform(1, 3), t.kh = uniform(1, 5), t.kw = uniform(1, 8);
    t.in_d = uniform(1, 3), t.in_h = uniform(1, 9), t.in_w = uniform(1, 40);
    t.stride_w = uniform(1, 3);
    t.stride_h = uniform(0, 1) ? t.stride_w : uniform(1, 3);
    t.dilation_d = uniform(1, 2), t.dilation_h = uniform(1, 3),
    t.dilation_w = uniform(0, 1) ? 1 : uniform(1, 4);
    t.d0 = uniform(-3, 3), t.h0 = uniform(-6, 6), t.w0 = uniform(-8, 8);
    t.pad = uniform(0, 3) ? 0 : uniform(1, 20);
    t.side = uniform(0, 1) ? Side::before : Side::after;
    t.accumulate = uniform(0, 1), t.with_epilogue = uniform(0, 1);
    t.bias = uniform(0, 1);
    t.residual = t.with_epilogue && uniform(0, 1), t.in_place = t.residual && uniform(0, 1);
    t.epilogue.activation = static_cast<int32_t>(uniform(0, 6));
    t.epilogue.residual_scale = 0.75f;
    t.epilogue.residual_after_activation = static_cast<int32_t>(uniform(0, 1));
    t.epilogue.alpha = t.epilogue.activation == CORTEX_ACTIVATION_CLIP ? -0.5f : uniform(0, 1) ? 0.25f : 0.0f;
    t.epilogue.beta = 0.5f;
    run(t);
    if (HasFatalFailure()) return;
  }
}

// Beyond 8 MB blocks ask for the next one's operands: up to the last, behind which nothing lies. Windows of
// 3x3 do not where they are added up by columns, those of 5x5 do.
TEST_P(DwconvTest, LargeImages) {
  for (const int64_t pad : {int64_t{0}, int64_t{100}}) {
    for (const int64_t taps : {3, 5}) {
      for (Side side : {Side::before, Side::after}) {
        Case t;
        t.channels = pad ? 20 : 121, t.pad = pad, t.kh = t.kw = taps;
        t.in_w = 102, t.in_h = 110, t.w0 = t.h0 = -(taps / 2), t.outputs = t.in_w, t.rows = 7, t.side = side;
        ASSERT_GT(2 * (t.channels + t.pad) * 4 * t.in_w * t.in_h, 8 << 20);  // input and output
        run(t);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(DwconvTest, WindowOutsideTheInputGivesBias) {
  Case t;
  t.outputs = 3, t.rows = 2, t.h0 = 10, t.with_epilogue = t.bias = true;
  run(t);
  t.h0 = 0, t.w0 = -20;
  run(t);
  t.accumulate = true;
  run(t);
}

std::vector<const KernelInfo*> dwconv_kernels() {
  std::vector<const KernelInfo*> kernels;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (kernel.op == KernelOp::dwconv && kernel.a == "f32") kernels.push_back(&kernel);
  }
  return kernels;
}

INSTANTIATE_TEST_SUITE_P(Kernels, DwconvTest, ::testing::ValuesIn(dwconv_kernels()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace cortex
