// The depthwise kernels of bytes and bf16 against their contract, in integers and in double: directed and
// random windows that hang over every edge, zero points, every epilogue, operands between guard pages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "microkernels/brgemm/brgemm_reference.h"
#include "microkernels/catalogue/catalogue.h"
#include "support/bf16.h"
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
  int64_t pad = 0;  // channels between columns of all tensors beyond the kernel's
  Side side = Side::after;
  bool accumulate = false, finish = false, bias = false, residual = false, in_place = false, scale = false,
       compensation = false;
  int32_t zero_point = 0;
  int extreme = 0;  // 1: all 255 (or -128) times -128; 2: times 127
  cortex_epilogue epilogue = {};
};

std::string describe(const Case& t) {
  return fmt::format(
      "channels={} outputs={}x{} corner=({},{},{}) input=({},{},{}) window=({},{},{}) stride=({},{}) "
      "dilation=({},{},{}) pad={} zero_point={} accumulate={} finish={} bias={} scale={} compensation={} "
      "residual={} in_place={} after={} c={} c_zero_point={} activation={} extreme={} seed=5",
      t.channels, t.rows, t.outputs, t.d0, t.h0, t.w0, t.in_d, t.in_h, t.in_w, t.kd, t.kh, t.kw, t.stride_h,
      t.stride_w, t.dilation_d, t.dilation_h, t.dilation_w, t.pad, t.zero_point, t.accumulate, t.finish,
      t.bias, t.scale, t.compensation, t.residual, t.in_place, t.epilogue.residual_after_activation,
      t.epilogue.c_type, t.epilogue.c_zero_point, t.epilogue.activation, t.extreme);
}

int64_t size_of_type(int32_t type) {
  return type == CORTEX_ELEMENT_BF16 ? 2 : type == CORTEX_ELEMENT_U8 || type == CORTEX_ELEMENT_S8 ? 1 : 4;
}

double element(int32_t type, const char* p) {
  if (type == CORTEX_ELEMENT_U8) return *reinterpret_cast<const uint8_t*>(p);
  if (type == CORTEX_ELEMENT_S8) return *reinterpret_cast<const int8_t*>(p);
  uint32_t bits = 0;
  std::memcpy(&bits, p, static_cast<size_t>(size_of_type(type)));
  if (type == CORTEX_ELEMENT_S32) return static_cast<int32_t>(bits);
  if (type == CORTEX_ELEMENT_BF16) bits <<= 16;
  float x;
  std::memcpy(&x, &bits, 4);
  return static_cast<double>(x);
}

class NarrowDwconvTest : public ::testing::TestWithParam<const KernelInfo*> {
 protected:
  void SetUp() override {
    if (!supports(GetParam()->isa)) GTEST_SKIP() << "this machine has no " << isa_name(GetParam()->isa);
  }
  bool integers() const { return GetParam()->c == "s32"; }
  bool is_signed() const { return GetParam()->a == "s8"; }
  int32_t type_of_a() const { return element_code(GetParam()->a); }
  int32_t type_of_b() const { return element_code(GetParam()->b); }
  int32_t sum() const { return integers() ? CORTEX_ELEMENT_S32 : CORTEX_ELEMENT_F32; }

  int64_t uniform(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  void fill(GuardedBuffer& buffer, int32_t type) {
    std::uniform_real_distribution<float> value(-8, 8);
    const auto size = static_cast<size_t>(size_of_type(type));
    for (size_t i = 0; i + size <= buffer.size(); i += size) {
      const float x = value(random_);
      uint32_t bits;
      std::memcpy(&bits, &x, 4);
      if (type == CORTEX_ELEMENT_BF16) bits >>= 16;
      if (type == CORTEX_ELEMENT_U8 || type == CORTEX_ELEMENT_S8) bits = static_cast<uint32_t>(random_());
      if (type == CORTEX_ELEMENT_S32) bits = static_cast<uint32_t>(random_() % 20001) - 10000u;
      std::memcpy(buffer.as<char>() + i, &bits, size);
    }
  }

  void run(const Case& t) {
    const KernelInfo& kernel = *GetParam();
    const int32_t type = t.epilogue.c_type == CORTEX_ELEMENT_SUM || !t.finish ? sum() : t.epilogue.c_type;
    const int64_t size = size_of_type(type), in = size_of_type(type_of_a()), w = size_of_type(type_of_b());
    const int64_t pitch = t.channels + t.pad;
    const auto bytes = [&](int64_t columns, int64_t elem) {
      return static_cast<size_t>(((columns - 1) * pitch + t.channels) * elem);
    };
    GuardedBuffer input(bytes(t.in_d * t.in_h * t.in_w, in), t.side);
    GuardedBuffer weights(bytes(t.kd * t.kh * t.kw, w), t.side);
    // Rows of outputs lie `pad` columns apart, rows of the residual one more.
    const int64_t row = t.outputs + t.pad, residual_row = t.in_place ? row : row + 1;
    GuardedBuffer output(bytes((t.rows - 1) * row + t.outputs, size), t.side);
    GuardedBuffer residual(bytes((t.rows - 1) * residual_row + t.outputs, size), t.side);
    const auto per_channel = static_cast<size_t>(t.channels * 4);
    GuardedBuffer bias(per_channel, t.side), scale(per_channel, t.side), compensation(per_channel, t.side);
    fill(input, type_of_a());
    fill(weights, type_of_b());
    fill(output, type);
    fill(residual, type);
    fill(bias, CORTEX_ELEMENT_F32);
    fill(scale, CORTEX_ELEMENT_F32);
    fill(compensation, CORTEX_ELEMENT_S32);
    for (int64_t i = 0; i < t.channels; ++i) scale.as<float>()[i] *= 0.0005f;
    if (t.extreme) {
      std::memset(input.data(), is_signed() ? 128 : 255, input.size());
      std::memset(weights.data(), t.extreme == 1 ? 128 : 127, weights.size());
    }

    cortex_dwconv_args args = {};
    args.input = input.data(), args.weights = weights.data(), args.output = output.data();
    args.channels = t.channels, args.outputs = t.outputs, args.rows = t.rows;
    args.d0 = t.d0, args.h0 = t.h0, args.w0 = t.w0;
    args.in_d = t.in_d, args.in_h = t.in_h, args.in_w = t.in_w;
    args.kd = t.kd, args.kh = t.kh, args.kw = t.kw;
    args.stride_h = t.stride_h, args.stride_w = t.stride_w;
    args.dilation_d = t.dilation_d, args.dilation_h = t.dilation_h, args.dilation_w = t.dilation_w;
    args.in_stride_w = pitch * in, args.in_stride_h = t.in_w * args.in_stride_w;
    args.in_stride_d = t.in_h * args.in_stride_h;
    args.w_stride_w = pitch * w, args.w_stride_h = t.kw * args.w_stride_w;
    args.w_stride_d = t.kh * args.w_stride_h;
    args.out_stride = pitch * size, args.out_stride_h = row * pitch * size;
    args.residual_stride_h = residual_row * pitch * size;
    args.in_zero_point = integers() ? t.zero_point : 0;
    if (t.accumulate) args.flags |= CORTEX_TILE_ACCUMULATE;
    if (t.finish) args.flags |= CORTEX_TILE_EPILOGUE;
    cortex_epilogue& e = args.epilogue = t.epilogue;
    if (t.bias) e.bias_n = bias.as<float>();
    if (t.residual) e.residual = t.in_place ? output.data() : residual.data();
    e.ld_residual = pitch * size;
    if (t.scale && integers()) e.scale_n = scale.as<float>();
    if (t.compensation && integers()) e.compensation_n = compensation.as<int32_t>();
    const std::vector<char> before(output.as<char>(), output.as<char>() + output.size());
    const GuardedBuffer& added = t.in_place ? output : residual;
    const std::vector<char> beside(added.as<char>(), added.as<char>() + added.size());
    kernel.dwconv(&args);

    std::vector<bool> written(before.size());
    for (int64_t y = 0; y < t.rows; ++y) {
      for (int64_t x = 0; x < t.outputs; ++x) {
        for (int64_t c = 0; c < t.channels; ++c) {
          const auto at = static_cast<size_t>(((y * row + x) * pitch + c) * size);
          const auto r = static_cast<size_t>(((y * residual_row + x) * pitch + c) * size);
          for (int64_t i = 0; i < size; ++i) written[at + static_cast<size_t>(i)] = true;
          check(t, args, {y, x, c}, type, element(type, output.as<char>() + at), &before[at], &beside[r]);
          if (HasFatalFailure()) return;
        }
      }
    }
    for (size_t i = 0; i < before.size(); ++i) {
      if (written[i]) continue;
      ASSERT_EQ(before[i], output.as<char>()[i]) << describe(t) << " wrote between rows";
    }
  }

  struct Position {
    int64_t y, x, c;
  };

  // One output against the contract.
  void check(const Case& t, const cortex_dwconv_args& args, Position at, int32_t type, double got,
             const char* before, const char* residual) {
    const cortex_epilogue& e = args.epilogue;
    double sum_of_products = 0, magnitude = 0;
    const auto add = [&](double term) { sum_of_products += term, magnitude += std::abs(term); };
    for (int64_t d = 0; d < t.kd; ++d) {
      for (int64_t h = 0; h < t.kh; ++h) {
        for (int64_t w = 0; w < t.kw; ++w) {
          const int64_t plane = t.d0 + d * t.dilation_d, line = t.h0 + at.y * t.stride_h + h * t.dilation_h;
          const int64_t column = t.w0 + at.x * t.stride_w + w * t.dilation_w;
          if (plane < 0 || plane >= t.in_d || line < 0 || line >= t.in_h || column < 0 || column >= t.in_w)
            continue;
          const char* in = static_cast<const char*>(args.input) + plane * args.in_stride_d +
                           line * args.in_stride_h + column * args.in_stride_w +
                           at.c * size_of_type(type_of_a());
          const char* tap = static_cast<const char*>(args.weights) + d * args.w_stride_d +
                            h * args.w_stride_h + w * args.w_stride_w + at.c * size_of_type(type_of_b());
          add((element(type_of_a(), in) - args.in_zero_point) * element(type_of_b(), tap));
        }
      }
    }
    if (t.accumulate) add(element(sum(), before));
    // Integers below 2^53 are exact in double.
    double v = sum_of_products;
    if (!t.finish) {
      if (integers()) {
        ASSERT_EQ(got, v) << describe(t) << " output " << at.y << "," << at.x << " channel " << at.c;
      } else {
        ASSERT_LE(std::abs(got - v), bound(t, magnitude)) << describe(t);
      }
      return;
    }
    const double r = t.residual ? element(type, residual) : 0;
    if (!integers()) {
      if (e.bias_n) add(static_cast<double>(e.bias_n[at.c]));
      if (!e.residual_after_activation) add(r * static_cast<double>(e.residual_scale));
      v = testing::reference_activation(e, sum_of_products);
      magnitude += std::abs(v);
      if (e.residual_after_activation)
        v += r * static_cast<double>(e.residual_scale), magnitude += std::abs(r);
      double allowed = bound(t, magnitude + 1);
      if (type == CORTEX_ELEMENT_BF16) allowed += (std::abs(v) + allowed) * 0x1p-8 + 1e-38;
      ASSERT_LE(std::abs(got - v), allowed) << describe(t) << " want " << v;
      return;
    }
    if (e.compensation_n) v += e.compensation_n[at.c];
    volatile float step = static_cast<float>(v);  // one rounding each
    if (e.scale_n) step = step * e.scale_n[at.c];
    if (e.bias_n) step = step + e.bias_n[at.c];
    volatile float term = static_cast<float>(r) * e.residual_scale;
    if (t.residual && !e.residual_after_activation) step = step + term;
    step = static_cast<float>(testing::reference_activation(e, static_cast<double>(step)));
    if (t.residual && e.residual_after_activation) step = step + term;
    double want = static_cast<double>(step);
    const bool curved = e.activation >= CORTEX_ACTIVATION_SIGMOID ||
                        (e.activation == CORTEX_ACTIVATION_RELU && e.alpha != 0.0f);
    if (type != CORTEX_ELEMENT_F32) {
      const double low = type == CORTEX_ELEMENT_U8 ? 0 : type == CORTEX_ELEMENT_S8 ? -128 : INT32_MIN;
      const double high = type == CORTEX_ELEMENT_U8 ? 255 : type == CORTEX_ELEMENT_S8 ? 127 : INT32_MAX;
      const int32_t zero = type == CORTEX_ELEMENT_S32 ? 0 : e.c_zero_point;
      want = std::min(std::max(std::nearbyint(want) + zero, low), high);
    }
    const double allowed = !curved ? 0 : type == CORTEX_ELEMENT_F32 ? 1e-4 * (1 + std::abs(want)) : 1;
    ASSERT_LE(std::abs(got - want), allowed)
        << describe(t) << " output " << at.y << "," << at.x << " channel " << at.c << " got " << got
        << " want " << want << " sum " << sum_of_products;
  }

  static double bound(const Case& t, double magnitude) {
    const double terms = static_cast<double>(t.kd * t.kh * t.kw) + 8;
    return terms * FLT_EPSILON / 2 / (1 - terms * FLT_EPSILON / 2) * magnitude * 1.2 + FLT_MIN;
  }

  int32_t any_c_type() {
    static constexpr int32_t bytes[] = {CORTEX_ELEMENT_SUM, CORTEX_ELEMENT_U8, CORTEX_ELEMENT_S8,
                                        CORTEX_ELEMENT_F32, CORTEX_ELEMENT_S32};
    static constexpr int32_t halves[] = {CORTEX_ELEMENT_SUM, CORTEX_ELEMENT_BF16, CORTEX_ELEMENT_F32};
    return integers() ? bytes[uniform(0, 4)] : halves[uniform(0, 2)];
  }
  int32_t any_zero_point() {
    if (uniform(0, 2) == 0) return 0;
    return static_cast<int32_t>(is_signed() ? uniform(-128, 127) : uniform(0, 255));
  }
  // All that happens to a finished element.
  void any_epilogue(Case& t) {
    t.accumulate = uniform(0, 3) == 0, t.finish = uniform(0, 4) != 0;
    t.bias = uniform(0, 1), t.scale = uniform(0, 3) != 0, t.compensation = uniform(0, 3) == 0;
    t.residual = t.finish && uniform(0, 2) == 0;
    t.in_place = t.residual && uniform(0, 1);
    cortex_epilogue& e = t.epilogue;
    e.c_type = t.accumulate ? static_cast<int32_t>(CORTEX_ELEMENT_SUM) : any_c_type();
    e.activation = static_cast<int32_t>(uniform(0, 1) ? uniform(0, 2) : uniform(0, 6));
    e.residual_scale = 0.75f;
    e.residual_after_activation = static_cast<int32_t>(uniform(0, 1));
    e.alpha = e.activation == CORTEX_ACTIVATION_CLIP ? -3.5f : uniform(0, 2) ? 0.0f : 0.25f;
    e.beta = 20.5f;
    const bool u8 = e.c_type == CORTEX_ELEMENT_U8, s8 = e.c_type == CORTEX_ELEMENT_S8;
    if (u8 || s8) e.c_zero_point = uniform(0, 1) ? static_cast<int32_t>(uniform(0, 100)) : 0;
  }

  std::mt19937 random_{5};
};

// Padded images, for every size of block.
TEST_P(NarrowDwconvTest, PaddedImages) {
  for (int64_t k : {3, 5, 7}) {
    for (int64_t stride : {1, 2}) {
      for (int64_t width = 1; width <= 9; ++width) {
        for (int64_t height : {1, 2, 3, 5, 8}) {
          Case t;
          t.channels = uniform(1, 2 * GetParam()->nr + 1);
          t.kh = t.kw = k, t.in_h = height, t.in_w = width, t.stride_h = t.stride_w = stride;
          t.w0 = t.h0 = -(k / 2);
          t.outputs = (width + 2 * (k / 2) - k) / stride + 1;
          t.rows = (height + 2 * (k / 2) - k) / stride + 1;
          t.side = width % 2 ? Side::before : Side::after;
          t.zero_point = any_zero_point();
          if (width % 3 == 0) any_epilogue(t);
          run(t);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(NarrowDwconvTest, EveryNumberOfChannels) {
  for (int64_t channels = 1; channels <= 2 * std::max(GetParam()->nr, 16) + 1; ++channels) {
    for (Side side : {Side::before, Side::after}) {
      Case t;
      t.channels = channels, t.in_h = 4, t.in_w = 5, t.w0 = t.h0 = -1, t.rows = 4, t.outputs = 5;
      t.side = side;
      t.zero_point = any_zero_point();
      t.finish = t.bias = t.scale = true;
      t.epilogue.c_type = !integers()    ? CORTEX_ELEMENT_BF16
                          : channels % 2 ? CORTEX_ELEMENT_U8
                                         : CORTEX_ELEMENT_S8;
      t.epilogue.activation = channels % 3 ? CORTEX_ACTIVATION_RELU : CORTEX_ACTIVATION_NONE;
      run(t);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(NarrowDwconvTest, RandomWindows) {
  for (int i = 0; i < 3000; ++i) {
    Case t;
    t.channels = uniform(1, uniform(0, 3) ? 40 : 150), t.outputs = uniform(1, 9), t.rows = uniform(1, 6);
    t.kd = uniform(0, 3) ? 1 : uniform(1, 3), t.kh = uniform(1, 5), t.kw = uniform(1, 8);
    if (uniform(0, 1)) t.kh = t.kw = 3 + 2 * uniform(0, 2);
    t.in_d = uniform(1, 3), t.in_h = uniform(1, 9), t.in_w = uniform(1, 20);
    t.stride_w = uniform(1, 3);
    t.stride_h = uniform(0, 2) ? t.stride_w : uniform(1, 3);
    t.dilation_d = uniform(1, 2), t.dilation_h = uniform(0, 1) ? 1 : uniform(1, 3);
    t.dilation_w = uniform(0, 1) ? t.dilation_h : uniform(1, 4);
    t.d0 = uniform(0, 2) ? 0 : uniform(-3, 3), t.h0 = uniform(-6, 6), t.w0 = uniform(-8, 8);
    t.pad = uniform(0, 3) ? 0 : uniform(1, 20);
    t.side = uniform(0, 1) ? Side::before : Side::after;
    t.zero_point = any_zero_point();
    any_epilogue(t);
    run(t);
    if (HasFatalFailure()) return;
  }
}

TEST_P(NarrowDwconvTest, ExtremesDoNotSaturate) {
  if (!integers()) GTEST_SKIP() << "of integers";
  for (int extreme : {1, 2}) {
    for (int64_t k : {3, 4, 5, 7}) {
      Case t;
      t.channels = GetParam()->nr + 3, t.kh = t.kw = k, t.in_h = t.in_w = 12, t.rows = t.outputs = 10;
      t.w0 = t.h0 = -2, t.extreme = extreme;
      t.zero_point = is_signed() ? 127 : 0;
      run(t);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(NarrowDwconvTest, WindowOutsideTheInputAddsNothing) {
  Case t;
  t.outputs = 3, t.rows = 2, t.h0 = 10, t.finish = t.bias = true, t.zero_point = is_signed() ? -7 : 7;
  run(t);
  t.h0 = 0, t.w0 = -20;
  run(t);
  t.w0 = 0, t.d0 = 5;
  run(t);
  t.accumulate = true;
  run(t);
}

std::vector<const KernelInfo*> narrow_kernels() {
  std::vector<const KernelInfo*> kernels;
  for (const KernelInfo& kernel : kernel_catalogue()) {
    if (kernel.op == KernelOp::dwconv && kernel.a != "f32") kernels.push_back(&kernel);
  }
  return kernels;
}

INSTANTIATE_TEST_SUITE_P(Kernels, NarrowDwconvTest, ::testing::ValuesIn(narrow_kernels()),
                         [](const auto& test) { return std::string(test.param->name); });

}  // namespace
}  // namespace cortex
