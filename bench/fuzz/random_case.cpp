#include "bench/fuzz/random_case.h"

#include <cortex/cortex.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cortex::bench {
namespace {

// Mostly small, now and then around a multiple of a vector or register tile, where edges are made.
int64_t extent(Random& r, int64_t largest) {
  const int64_t kind = r.between(0, 9);
  int64_t value = r.between(1, std::max<int64_t>(1, largest / 4));
  if (kind >= 3) value = r.between(1, largest);
  if (kind >= 8)
    value = std::array<int64_t, 6>{8, 16, 24, 32, 48, 64}[static_cast<std::size_t>(r.between(0, 5))] +
            r.between(-1, 1);
  return std::clamp<int64_t>(value, 1, largest);
}

struct Axis {
  int64_t in, out, kernel, stride, pad, pad_end, dilation;
};

Axis random_axis(Random& r, int64_t largest) {
  for (;;) {
    Axis a{};
    a.in = extent(r, largest);
    a.kernel = r.chance(0.35) ? 1 : r.chance(0.7) ? 3 : r.between(1, 7);
    a.stride = r.chance(0.6) ? 1 : r.between(1, 3);
    a.dilation = a.kernel > 1 && r.chance(0.15) ? r.between(1, 2) : 0;
    const int64_t window = (a.kernel - 1) * (a.dilation + 1) + 1;
    a.pad = r.chance(0.4) ? 0 : r.between(0, window - 1);
    const int64_t pad_end = r.chance(0.6) ? a.pad : r.between(0, window - 1);
    if (a.in + a.pad + pad_end < window) continue;
    a.out = (a.in + a.pad + pad_end - window) / a.stride + 1;
    a.pad_end = (a.out - 1) * a.stride + window - a.in - a.pad;
    return a;
  }
}

ConvProblem random_conv(Random& r, double limit) {
  for (;;) {
    ConvProblem c;
    const int64_t rank = r.chance(0.75) ? 2 : r.chance(0.5) ? 1 : 3;
    const int64_t largest = rank == 3 ? 10 : rank == 2 ? (r.chance(0.2) ? 60 : 24) : 150;
    const int64_t channels = r.chance(0.25) ? 300 : 80;
    c.mb = r.chance(0.6) ? 1 : r.between(1, 4);
    const bool depthwise = r.chance(0.2);
    c.g = depthwise ? extent(r, 70) : r.chance(0.2) ? r.between(2, 5) : 1;
    const int64_t icg = depthwise ? 1 : extent(r, channels);
    const int64_t ocg = depthwise ? 1 : extent(r, channels);
    c.ic = c.g * icg;
    c.oc = c.g * ocg;
    const auto assign = [](const Axis& a, int64_t& in, int64_t& out, int64_t& k, int64_t& s, int64_t& p,
                           int64_t& p_r, int64_t& d) {
      in = a.in;
      out = a.out;
      k = a.kernel;
      s = a.stride;
      p = a.pad;
      p_r = a.pad_end;
      d = a.dilation;
    };
    assign(random_axis(r, largest), c.iw, c.ow, c.kw, c.sw, c.pw, c.pw_r, c.dw);
    if (rank >= 2) assign(random_axis(r, largest), c.ih, c.oh, c.kh, c.sh, c.ph, c.ph_r, c.dh);
    if (rank >= 3) assign(random_axis(r, largest), c.id, c.od, c.kd, c.sd, c.pd, c.pd_r, c.dd);
    const double work =
        double(c.mb) * double(c.od * c.oh * c.ow) * double(c.oc) * double(icg) * double(c.kd * c.kh * c.kw);
    if (work <= limit && (work > limit / 30 || r.chance(0.25))) return c;
  }
}

MatmulProblem random_matmul(Random& r, double limit) {
  for (;;) {
    MatmulProblem m;
    m.m = r.chance(0.1) ? 1 : extent(r, r.chance(0.2) ? 600 : 150);
    m.n = r.chance(0.05) ? 1 : extent(r, r.chance(0.2) ? 800 : 150);
    m.k = extent(r, r.chance(0.2) ? 2500 : 150);
    if (r.chance(0.1)) {  // few outputs and a long reduction: threads share it
      m.m = r.between(1, 10);
      m.n = r.between(1, 20);
      m.k = r.between(3000, 20000);
    }
    const int64_t dims = r.chance(0.7) ? 0 : r.between(1, 2);
    for (int64_t i = 0; i < dims; ++i) {
      const int64_t size = r.between(1, 5);
      const int64_t broadcast = r.between(0, 5);
      m.batch_a.push_back(broadcast == 0 ? 1 : size);
      m.batch_b.push_back(broadcast == 1 ? 1 : size);
    }
    m.a_transposed = r.chance(0.2);
    m.b_transposed = r.chance(0.25);
    double work = double(m.m) * double(m.n) * double(m.k);
    for (std::size_t i = 0; i < m.batch_a.size(); ++i) work *= double(std::max(m.batch_a[i], m.batch_b[i]));
    if (work <= limit && (work > limit / 30 || r.chance(0.25))) return m;
  }
}

Epilogue random_epilogue(Random& r) {
  Epilogue e;
  if (r.chance(0.4)) return e;
  e.bias = r.chance(0.5);
  e.residual = r.chance(0.35);
  if (e.residual && r.chance(0.3)) e.residual_scale = r.chance(0.5) ? 0.5f : -2.0f;
  if (r.chance(0.6)) e.activation = static_cast<Activation>(r.between(1, 6));
  if (e.residual && e.activation != Activation::none) e.residual_after_activation = r.chance(0.4);
  if (e.activation == Activation::relu && r.chance(0.3)) e.alpha = 0.25f;
  if (e.activation == Activation::clip) {
    e.alpha = -1.0f;
    e.beta = 1.5f;
  }
  return e;
}

int32_t random_zero_point(Random& r, DataType type) {
  if (r.chance(0.6)) return 0;
  if (type == DataType::u8) return static_cast<int32_t>(r.between(0, 255));
  return type == DataType::s8 ? static_cast<int32_t>(r.between(-128, 127)) : 0;
}

// Scales and zero points. Steps whose rounding depends on the instruction set go: all must give equal
// integers.
void add_integer_steps(Random& r, Problem& p) {
  Epilogue& e = p.epilogue;
  if (e.activation > Activation::clip) e.activation = Activation::relu;
  e.scale = p.dst != DataType::s32 && r.chance(0.75);
  e.zero_point = random_zero_point(r, p.dst);
  const bool batched = p.is_matmul() && std::any_of(p.matmul().batch_b.begin(), p.matmul().batch_b.end(),
                                                    [](int64_t extent) { return extent > 1; });
  p.src_zero_point = batched ? 0 : random_zero_point(r, p.src);
}

WeightFormat random_format(Random& r) {
  const auto side = [&](int64_t usual, int64_t most) {
    return static_cast<int>(r.between(1, r.chance(0.8) ? usual : most));
  };
  WeightFormat f;
  f.structure = static_cast<WeightStructure>(r.between(1, 4));
  if (f.structure == WeightStructure::nm) {
    f.m = side(8, format_max_group);
    f.n = static_cast<int>(r.between(1, r.chance(0.7) ? std::max(1, f.m / 2) : f.m));
    f.t = std::array{1, 2, 4, 8, side(8, format_max_share)}[static_cast<std::size_t>(r.between(0, 4))];
  }
  f.alpha = side(8, format_max_group);
  f.rows = side(4, format_max_group);
  f.cols = side(4, format_max_group);
  return f;
}

// Zeros in the weights. Plans that know them are of one group or matrix, packed ahead of time.
void add_zeros(Random& r, const FuzzSpace& space, FuzzCase& c) {
  const auto last = static_cast<int64_t>(space.zeros.size()) - 1;
  const std::optional<WeightFormat>& drawn = space.zeros[static_cast<std::size_t>(r.between(0, last))];
  c.zeros = drawn ? *drawn : random_format(r);
  if (c.zeros.structure == WeightStructure::dense) return;
  c.sparsity = r.chance(0.03) ? 1 : r.chance(0.1) ? 0 : static_cast<double>(r.between(20, 99)) / 100;
  c.plain = false;
  Problem& p = c.problem;
  if (p.is_conv()) {
    ConvProblem& conv = std::get<ConvProblem>(p.op);
    conv.ic /= conv.g;
    conv.oc /= conv.g;
    conv.g = 1;
    // Images side by side fill vectors where there are enough of them.
    const int64_t images = std::array{8, 16, 24, 32, 64}[static_cast<std::size_t>(r.between(0, 4))];
    const double work =
        double(conv.od * conv.oh * conv.ow) * double(conv.oc * conv.ic) * double(conv.kd * conv.kh * conv.kw);
    if (r.chance(0.4) && double(images) * work < 20e6) conv.mb = images;
  } else {
    MatmulProblem& m = std::get<MatmulProblem>(p.op);
    m.batch_a.clear();
    m.batch_b.clear();
  }
  c.share = std::array<int, 8>{
      CORTEX_SPARSE_OR_DENSE, CORTEX_SPARSE_OR_DENSE, 0, 1, 2, 4,
      CORTEX_SPARSE_PATTERNS, CORTEX_SPARSE_BITMAP}[static_cast<std::size_t>(r.between(0, 7))];
  const bool floats = sum_type(p.src) == DataType::f32;
  if ((c.share == CORTEX_SPARSE_PATTERNS && !floats) || (c.share == CORTEX_SPARSE_BITMAP && p.is_conv()))
    c.share = 0;
}

const char* layout_name(ActivationLayout layout) {
  switch (layout) {
    case ActivationLayout::native:
      return "native";
    case ActivationLayout::nhwc:
      return "nhwc";
    case ActivationLayout::nchw:
      return "nchw";
  }
  return "?";
}

const char* layout_name(WeightsLayout layout) {
  switch (layout) {
    case WeightsLayout::as_problem:
      return "as the problem";
    case WeightsLayout::oihw:
      return "oihw";
    case WeightsLayout::hwio:
      return "hwio";
    case WeightsLayout::ghwio:
      return "ghwio";
    case WeightsLayout::kn:
      return "kn";
    case WeightsLayout::nk:
      return "nk";
  }
  return "?";
}

}  // namespace

FuzzCase random_case(uint64_t seed, int64_t index, const FuzzSpace& space) {
  Random r(seed * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(index) * 0xbf58476d1ce4e5b9u);
  r.next();
  FuzzCase c;
  const double limit = r.chance(0.03) ? 60e6 : r.chance(0.25) ? 10e6 : 2e6;  // multiply-adds
  const bool conv = space.op == OpKind::conv || (space.op == OpKind::any && r.chance(0.6));
  Problem& p = c.problem;
  if (!space.types.empty()) {
    const auto last = static_cast<int64_t>(space.types.size()) - 1;
    const Types& types = space.types[static_cast<std::size_t>(r.between(0, last))];
    p.src = types.src, p.wei = types.wei, p.dst = types.dst;
  }
  if (conv) {
    p.op = random_conv(r, limit);
    c.src = static_cast<ActivationLayout>(r.between(0, 2));
    c.dst = static_cast<ActivationLayout>(r.between(0, 2));
    c.weights = static_cast<WeightsLayout>(r.between(1, 3));
  } else {
    p.op = random_matmul(r, limit);
    if (p.src == DataType::s8) {  // no kernel takes back 128 from sums of each batch's weights
      MatmulProblem& m = std::get<MatmulProblem>(p.op);
      for (int64_t& extent : m.batch_b) extent = 1;
    }
    c.weights = std::array{WeightsLayout::as_problem, WeightsLayout::kn,
                           WeightsLayout::nk}[static_cast<std::size_t>(r.between(0, 2))];
  }
  p.epilogue = random_epilogue(r);
  if (sum_type(p.src) == DataType::s32) add_integer_steps(r, p);
  c.threads = static_cast<int>(r.chance(0.5) ? 1 : r.between(2, 3));
  c.plain = r.chance(0.4);
  c.residual_in_place = r.chance(0.5);
  c.guards = r.next();
  c.seed = r.next();
  if (!space.zeros.empty()) add_zeros(r, space, c);
  return c;
}

std::string describe(const FuzzCase& c) {
  std::string text = fmt::format("{} threads={} weights={}{}", to_string(c.problem), c.threads,
                                 layout_name(c.weights), c.plain ? " plain" : " prepacked");
  if (c.zeros.structure != WeightStructure::dense)
    text += fmt::format(" zeros={} sparsity={} share={}", to_string(c.zeros), c.sparsity, c.share);
  if (c.problem.is_conv()) text += fmt::format(" src={} dst={}", layout_name(c.src), layout_name(c.dst));
  if (c.problem.epilogue.residual) text += c.residual_in_place ? " residual=dst" : " residual=own";
  return text;
}

}  // namespace cortex::bench
