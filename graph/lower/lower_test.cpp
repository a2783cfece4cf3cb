// Random problems: lower() and coalesce() against loops written from the operators' definitions.
#include "graph/lower/lower.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>

#include "graph/nest/evaluate.h"

namespace cortex {
namespace {

// Small integers: all sums are exact in double, whatever their order.
std::vector<float> random_values(std::mt19937& rng, int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = static_cast<float>(static_cast<int>(rng() % 9) - 4);
  return values;
}

int64_t pick(std::mt19937& rng, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(rng() % static_cast<uint32_t>(high - low + 1));
}

struct AxisSizes {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, pad = 0, behind = 0, dilation = 0;
};

// Any axis that validate() takes: strides beyond the input, dilation, asymmetric and negative padding.
AxisSizes random_axis(std::mt19937& rng, int64_t largest) {
  while (true) {
    AxisSizes a;
    a.in = pick(rng, 1, largest);
    a.kernel = pick(rng, 1, 4);
    a.stride = rng() % 2 == 0 ? 1 : pick(rng, 1, largest + 2);
    a.dilation = rng() % 3 == 0 ? pick(rng, 1, 2) : 0;
    a.pad = rng() % 2 == 0 ? 0 : pick(rng, 0, 4);
    a.out = pick(rng, 1, largest);
    const int64_t span = (a.kernel - 1) * (a.dilation + 1) + 1;
    a.behind = (a.out - 1) * a.stride - a.in + span - a.pad;
    if (a.behind > -a.stride && a.behind < span) return a;
  }
}

ConvProblem random_conv(std::mt19937& rng) {
  ConvProblem p;
  const auto group_kind = rng() % 4;  // none, groups, depthwise, depthwise with a multiplier
  p.g = group_kind == 0 ? 1 : pick(rng, 2, 3);
  p.ic = p.g * (group_kind >= 2 ? 1 : pick(rng, 1, 4));
  p.oc = p.g * (group_kind == 2 ? 1 : pick(rng, 1, 4));
  p.mb = pick(rng, 1, 2);
  const auto spatial = rng() % 4;  // 1-D, 2-D, 2-D, 3-D
  AxisSizes d, h, w = random_axis(rng, spatial == 3 ? 4 : 7);
  if (spatial >= 1) h = random_axis(rng, spatial == 3 ? 4 : 6);
  if (spatial == 3) d = random_axis(rng, 3);
  if (rng() % 5 == 0) {  // what becomes a plain matmul
    h.kernel = h.stride = 1, h.pad = h.behind = h.dilation = 0, h.out = h.in;
    w.kernel = w.stride = 1, w.pad = w.behind = w.dilation = 0, w.out = w.in;
  }
  p.id = d.in, p.od = d.out, p.kd = d.kernel, p.sd = d.stride, p.pd = d.pad, p.pd_r = d.behind,
  p.dd = d.dilation;
  p.ih = h.in, p.oh = h.out, p.kh = h.kernel, p.sh = h.stride, p.ph = h.pad, p.ph_r = h.behind,
  p.dh = h.dilation;
  p.iw = w.in, p.ow = w.out, p.kw = w.kernel, p.sw = w.stride, p.pw = w.pad, p.pw_r = w.behind,
  p.dw = w.dilation;
  return p;
}

// The definition, over logical tensors: src(n, c, d, h, w), wei(g, o, i, kd, kh, kw), dst(n, c, d, h, w).
std::vector<double> textbook_conv(const ConvProblem& p, const EvaluateArgs& args) {
  const int64_t icg = p.ic / p.g, ocg = p.oc / p.g;
  const bool depthwise = p.g > 1 && icg == 1 && ocg == 1;
  const auto src = [&](int64_t n, int64_t c, int64_t d, int64_t h, int64_t w) -> double {
    if (d < 0 || d >= p.id || h < 0 || h >= p.ih || w < 0 || w >= p.iw) return 0;
    return args.a[static_cast<size_t>((((n * p.id + d) * p.ih + h) * p.iw + w) * p.ic + c)];
  };
  const auto wei = [&](int64_t g, int64_t o, int64_t i, int64_t d, int64_t h, int64_t w) -> double {
    const int64_t window = (d * p.kh + h) * p.kw + w, size = p.kd * p.kh * p.kw;
    const int64_t offset = depthwise ? window * p.g + g : ((g * size + window) * icg + i) * ocg + o;
    return args.b[static_cast<size_t>(offset)];
  };
  std::vector<double> dst;
  for (int64_t n = 0; n < p.mb; ++n)
    for (int64_t od = 0; od < p.od; ++od)
      for (int64_t oh = 0; oh < p.oh; ++oh)
        for (int64_t ow = 0; ow < p.ow; ++ow)
          for (int64_t g = 0; g < p.g; ++g)
            for (int64_t o = 0; o < ocg; ++o) {
              double sum = 0;
              for (int64_t kd = 0; kd < p.kd; ++kd)
                for (int64_t kh = 0; kh < p.kh; ++kh)
                  for (int64_t kw = 0; kw < p.kw; ++kw)
                    for (int64_t i = 0; i < icg; ++i)
                      sum += src(n, g * icg + i, od * p.sd - p.pd + kd * (p.dd + 1),
                                 oh * p.sh - p.ph + kh * (p.dh + 1), ow * p.sw - p.pw + kw * (p.dw + 1)) *
                             wei(g, o, i, kd, kh, kw);
              dst.push_back(sum);
            }
  return dst;
}

// Multiply-adds that meet input, counted one by one.
int64_t counted_multiply_adds(const ConvProblem& p) {
  const auto taps = [](int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pad,
                       int64_t dilation) {
    int64_t count = 0;
    for (int64_t o = 0; o < out; ++o)
      for (int64_t k = 0; k < kernel; ++k) {
        const int64_t i = o * stride - pad + k * (dilation + 1);
        count += i >= 0 && i < in;
      }
    return count;
  };
  return p.mb * p.oc * (p.ic / p.g) * taps(p.id, p.od, p.kd, p.sd, p.pd, p.dd) *
         taps(p.ih, p.oh, p.kh, p.sh, p.ph, p.dh) * taps(p.iw, p.ow, p.kw, p.sw, p.pw, p.dw);
}

MatmulProblem random_matmul(std::mt19937& rng) {
  MatmulProblem p;
  p.m = rng() % 4 == 0 ? 1 : pick(rng, 1, 9);
  p.n = rng() % 4 == 0 ? 1 : pick(rng, 1, 9);
  p.k = rng() % 6 == 0 ? 1 : pick(rng, 1, 9);
  p.a_transposed = rng() % 3 == 0;
  p.b_transposed = rng() % 3 == 0;
  for (int64_t i = pick(rng, 0, 3); i > 0; --i) {
    const int64_t size = pick(rng, 1, 3);
    const auto broadcast = rng() % 4;
    p.batch_a.push_back(broadcast == 0 ? 1 : size);
    p.batch_b.push_back(broadcast == 1 ? 1 : size);
  }
  return p;
}

int64_t product(const std::vector<int64_t>& sizes) {
  int64_t value = 1;
  for (int64_t size : sizes) value *= size;
  return value;
}

std::vector<double> textbook_matmul(const MatmulProblem& p, const EvaluateArgs& args) {
  std::vector<int64_t> batch;
  for (size_t i = 0; i < p.batch_a.size(); ++i) batch.push_back(std::max(p.batch_a[i], p.batch_b[i]));
  std::vector<double> dst;
  for (int64_t flat = 0; flat < product(batch); ++flat) {
    // Position of this batch index in a tensor with sizes `own`.
    const auto position = [&](const std::vector<int64_t>& own) {
      int64_t rest = flat, scale = 1, offset = 0;
      for (size_t i = batch.size(); i-- > 0; rest /= batch[i]) {
        offset += (own[i] == 1 ? 0 : rest % batch[i]) * scale;
        scale *= own[i];
      }
      return offset;
    };
    const int64_t a0 = position(p.batch_a) * p.m * p.k, b0 = position(p.batch_b) * p.k * p.n;
    for (int64_t m = 0; m < p.m; ++m)
      for (int64_t n = 0; n < p.n; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < p.k; ++k)
          sum += static_cast<double>(
                     args.a[static_cast<size_t>(a0 + (p.a_transposed ? k * p.m + m : m * p.k + k))]) *
                 args.b[static_cast<size_t>(b0 + (p.b_transposed ? n * p.k + k : k * p.n + n))];
        dst.push_back(sum);
      }
  }
  return dst;
}

Epilogue random_epilogue(std::mt19937& rng) {
  Epilogue e;
  e.bias = rng() % 2 == 0;
  e.residual = rng() % 3 == 0;
  if (e.residual) e.residual_scale = rng() % 2 == 0 ? 1.0f : 0.5f;
  if (rng() % 2 == 0) e.activation = Activation::relu, e.alpha = rng() % 2 == 0 ? 0.0f : 0.25f;
  e.residual_after_activation = e.residual && e.activation != Activation::none && rng() % 2 == 0;
  return e;
}

// Textbook epilogue on a finished element.
double finish(const Epilogue& e, double v, double bias, double residual) {
  if (e.bias) v += bias;
  if (e.residual && !e.residual_after_activation) v += residual * e.residual_scale;
  if (e.activation == Activation::relu && v < 0) v *= e.alpha;
  if (e.residual && e.residual_after_activation) v += residual * e.residual_scale;
  return v;
}

Problem random_problem(std::mt19937& rng, std::variant<ConvProblem, MatmulProblem> op) {
  Problem problem;
  problem.op = std::move(op);
  problem.epilogue = random_epilogue(rng);
  return problem;
}

void check(const Problem& problem, const std::vector<double>& sums, const EvaluateArgs& args) {
  SCOPED_TRACE(to_string(problem));
  std::vector<double> expected = sums;
  for (size_t i = 0; i < sums.size(); ++i) {
    expected[i] = finish(problem.epilogue, sums[i], args.bias[i % args.bias.size()], args.residual[i]);
  }
  const auto nest = lower(problem);
  ASSERT_TRUE(nest.ok()) << nest.error().message;
  ASSERT_EQ(evaluate(*nest, args), expected);
  const Nest merged = coalesce(*nest);
  const Status sound = verify(merged);
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  ASSERT_EQ(evaluate(merged, args), expected) << to_string(merged);
  ASSERT_EQ(multiply_adds(merged), multiply_adds(*nest));
  for (const Nest& n : {*nest, merged}) {
    const auto again = parse_nest(to_string(n));
    ASSERT_TRUE(again.ok()) << again.error().message << "\n" << to_string(n);
    ASSERT_EQ(to_string(*again), to_string(n));
  }
  const auto replayed = parse_problem(to_string(problem));
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  ASSERT_TRUE(replayed->op == problem.op && replayed->epilogue == problem.epilogue);
  ASSERT_EQ(problem_key(*replayed), problem_key(problem));
}

TEST(Lower, ConvolutionsAsDefined) {
  const auto seed = std::random_device()();
  std::mt19937 rng(seed);
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  for (int i = 0; i < 600 && !HasFatalFailure(); ++i) {
    const ConvProblem p = random_conv(rng);
    const Problem problem = random_problem(rng, p);
    const Status valid = validate(problem);
    ASSERT_TRUE(valid.ok()) << valid.error().message << " " << to_string(problem);
    const int64_t dst = p.mb * p.od * p.oh * p.ow * p.oc;
    const EvaluateArgs args{random_values(rng, p.mb * p.id * p.ih * p.iw * p.ic),
                            random_values(rng, p.oc * p.ic / p.g * p.kd * p.kh * p.kw),
                            random_values(rng, p.oc), random_values(rng, dst)};
    check(problem, textbook_conv(p, args), args);
    ASSERT_EQ(multiply_adds(problem), counted_multiply_adds(p)) << to_string(problem);
  }
}

Problem few_channels(DataType type, int64_t channels, int64_t width, int64_t stride, int64_t kernel,
                     int64_t pad) {
  Problem problem;
  problem.src = type;
  problem.wei = type == DataType::u8 ? DataType::s8 : type;
  problem.dst = DataType::f32;
  ConvProblem p;
  p.ic = channels;
  p.iw = width;
  p.kw = kernel;
  p.sw = stride;
  p.pw = pad;
  p.ow = (width + 2 * pad - kernel) / stride + 1;
  p.pw_r = (p.ow - 1) * stride + kernel - width - pad;
  problem.op = p;
  return problem;
}

// The first layers of ResNet-50 in bf16 and of AlexNet in u8: 11 pairs of three channels' 7 taps, 9 fours
// of 11.
TEST(Lower, RowsOfFewChannelsAreCountedInUnits) {
  const auto pairs = rows_in_units(few_channels(DataType::bf16, 3, 224, 2, 7, 3));
  ASSERT_TRUE(pairs);
  EXPECT_EQ(pairs->front, 1);
  EXPECT_EQ(pairs->conv.ic, 2);
  EXPECT_EQ(pairs->conv.iw, 336);
  EXPECT_EQ(pairs->conv.kw, 11);
  EXPECT_EQ(pairs->conv.sw, 3);
  EXPECT_EQ(pairs->conv.pw, 5);
  const auto fours = rows_in_units(few_channels(DataType::u8, 3, 228, 4, 11, 0));
  ASSERT_TRUE(fours);
  EXPECT_EQ(fours->front, 0);
  EXPECT_EQ(fours->conv.kw, 9);
  EXPECT_EQ(fours->conv.sw, 3);
  EXPECT_TRUE(a_in_units(few_channels(DataType::u8, 3, 228, 4, 11, 0)));
  EXPECT_FALSE(rows_in_units(few_channels(DataType::bf16, 3, 224, 1, 3, 1)));  // windows start within units
  EXPECT_FALSE(rows_in_units(few_channels(DataType::bf16, 3, 225, 2, 7, 3)));  // rows end within one
  EXPECT_FALSE(rows_in_units(few_channels(DataType::bf16, 4, 224, 2, 7, 3)));  // channels fill them
  EXPECT_FALSE(rows_in_units(few_channels(DataType::f32, 3, 224, 2, 7, 3)));
  EXPECT_FALSE(rows_in_units(few_channels(DataType::u8, 3, 224, 2, 7, 3)));
  Problem shifted = few_channels(DataType::u8, 3, 228, 4, 11, 0);
  shifted.src_zero_point = 3;  // its compensation counts taps
  EXPECT_FALSE(rows_in_units(shifted));
}

TEST(Lower, MatmulsAsDefined) {
  const auto seed = std::random_device()();
  std::mt19937 rng(seed);
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  for (int i = 0; i < 600 && !HasFatalFailure(); ++i) {
    const MatmulProblem p = random_matmul(rng);
    const Problem problem = random_problem(rng, p);
    int64_t batch = 1;
    for (size_t b = 0; b < p.batch_a.size(); ++b) batch *= std::max(p.batch_a[b], p.batch_b[b]);
    const EvaluateArgs args{random_values(rng, product(p.batch_a) * p.m * p.k),
                            random_values(rng, product(p.batch_b) * p.k * p.n), random_values(rng, p.n),
                            random_values(rng, batch * p.m * p.n)};
    check(problem, textbook_matmul(p, args), args);
    ASSERT_EQ(multiply_adds(problem), batch * p.m * p.n * p.k);
  }
}

}  // namespace
}  // namespace cortex
