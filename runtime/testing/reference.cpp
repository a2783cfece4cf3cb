#include "runtime/testing/reference.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace cortex::testing {
namespace {

constexpr double unit = 0x1p-24;  // rounding error of one f32 operation

double activate(const Epilogue& e, double v) {
  switch (e.activation) {
    case Activation::none:
      return v;
    case Activation::relu:
      return v > 0 ? v : v * static_cast<double>(e.alpha);
    case Activation::clip:
      return std::min(std::max(v, static_cast<double>(e.alpha)), static_cast<double>(e.beta));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-v));
    case Activation::tanh:
      return std::tanh(v);
    case Activation::gelu_erf:
      return v / 2 * (1 + std::erf(v / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return v / 2 * (1 + std::tanh(std::sqrt(2.0 / 3.14159265358979323846) * (v + 0.044715 * v * v * v)));
  }
  return v;
}

struct Sum {
  double value = 0, magnitude = 0;
  int64_t terms = 0;
  void add(float a, float b) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    value += product;
    magnitude += std::fabs(product);
    ++terms;
  }
};

void finish(const Problem& problem, const Operands& o, const Sum& sum, int64_t channel, int64_t at,
            Expected& out) {
  const Epilogue& e = problem.epilogue;
  double v = sum.value;
  const double scale = e.scale ? static_cast<double>(o.scale[channel]) : 1.0;
  v *= scale;
  double tolerance = static_cast<double>(sum.terms + 3) * unit * sum.magnitude * scale;
  const auto add = [&](double term) {
    v += term;
    tolerance += 2 * unit * (std::fabs(v) + std::fabs(term));
  };
  const double residual =
      e.residual ? static_cast<double>(o.residual[at]) * static_cast<double>(e.residual_scale) : 0.0;
  if (e.bias) add(static_cast<double>(o.bias[channel]));
  if (e.residual && !e.residual_after_activation) add(residual);
  v = activate(e, v);
  // No activation is steeper than 1.13 (GELU), leaky ReLU aside; the transcendental ones are approximations.
  tolerance *= std::max(1.2, std::fabs(static_cast<double>(e.alpha)));
  if (e.activation >= Activation::sigmoid) tolerance += 32 * unit * (1 + std::fabs(v));
  if (e.residual && e.residual_after_activation) add(residual);
  v += e.zero_point;
  out.value[static_cast<std::size_t>(at)] = v;
  out.tolerance[static_cast<std::size_t>(at)] = tolerance + 2 * unit * std::fabs(v) + 1e-37;
}

struct ActivationStrides {
  int64_t n, c, d, h, w;
};

ActivationStrides strides(cortex_layout layout, int64_t channels, int64_t d, int64_t h, int64_t w) {
  if (layout == CORTEX_LAYOUT_NCHW) return {channels * d * h * w, d * h * w, h * w, w, 1};
  return {channels * d * h * w, 1, h * w * channels, w * channels, channels};
}

Expected conv(const Problem& problem, const Operands& o) {
  const ConvProblem& p = problem.conv();
  const int64_t icg = p.ic / p.g, ocg = p.oc / p.g, window = p.kd * p.kh * p.kw;
  const ActivationStrides s = strides(o.src_layout, p.ic, p.id, p.ih, p.iw);
  const ActivationStrides t = strides(o.dst_layout, p.oc, p.od, p.oh, p.ow);
  const auto weight = [&](int64_t g, int64_t oc, int64_t ic, int64_t k) -> float {
    switch (o.weights_layout) {
      case CORTEX_WEIGHTS_HWIO:
        return o.weights[(k * icg + ic) * p.oc + g * ocg + oc];
      case CORTEX_WEIGHTS_GHWIO:
        return o.weights[((g * window + k) * icg + ic) * ocg + oc];
      default:
        return o.weights[((g * ocg + oc) * icg + ic) * window + k];
    }
  };
  const auto zero = static_cast<float>(problem.src_zero_point);
  Expected out;
  out.value.resize(static_cast<std::size_t>(dst_elements(problem)));
  out.tolerance.resize(out.value.size());
  for (int64_t n = 0; n < p.mb; ++n)
    for (int64_t g = 0; g < p.g; ++g)
      for (int64_t oc = 0; oc < ocg; ++oc)
        for (int64_t od = 0; od < p.od; ++od)
          for (int64_t oh = 0; oh < p.oh; ++oh)
            for (int64_t ow = 0; ow < p.ow; ++ow) {
              Sum sum;
              for (int64_t kd = 0; kd < p.kd; ++kd)
                for (int64_t kh = 0; kh < p.kh; ++kh)
                  for (int64_t kw = 0; kw < p.kw; ++kw) {
                    const int64_t d = od * p.sd - p.pd + kd * (p.dd + 1);
                    const int64_t h = oh * p.sh - p.ph + kh * (p.dh + 1);
                    const int64_t w = ow * p.sw - p.pw + kw * (p.dw + 1);
                    if (d < 0 || d >= p.id || h < 0 || h >= p.ih || w < 0 || w >= p.iw) continue;
                    for (int64_t ic = 0; ic < icg; ++ic) {
                      sum.add(o.src[n * s.n + (g * icg + ic) * s.c + d * s.d + h * s.h + w * s.w] - zero,
                              weight(g, oc, ic, (kd * p.kh + kh) * p.kw + kw));
                    }
                  }
              const int64_t channel = g * ocg + oc;
              finish(problem, o, sum, channel, n * t.n + channel * t.c + od * t.d + oh * t.h + ow * t.w, out);
            }
  return out;
}

// Index of the matrix of an operand whose batch extents may be 1.
int64_t batch_index(const std::vector<int64_t>& extents, const std::vector<int64_t>& all, int64_t linear) {
  int64_t index = 0, scale = 1;
  for (std::size_t i = all.size(); i-- > 0;) {
    const int64_t at = linear % all[i];
    linear /= all[i];
    if (extents[i] != 1) index += at * scale;
    scale *= extents[i];
  }
  return index;
}

std::vector<int64_t> batch_of(const MatmulProblem& p) {
  std::vector<int64_t> all;
  for (std::size_t i = 0; i < p.batch_a.size(); ++i) all.push_back(std::max(p.batch_a[i], p.batch_b[i]));
  return all;
}

int64_t product(const std::vector<int64_t>& extents) {
  int64_t all = 1;
  for (const int64_t extent : extents) all *= extent;
  return all;
}

Expected matmul(const Problem& problem, const Operands& o) {
  const MatmulProblem& p = problem.matmul();
  const std::vector<int64_t> all = batch_of(p);
  const auto zero = static_cast<float>(problem.src_zero_point);
  Expected out;
  out.value.resize(static_cast<std::size_t>(dst_elements(problem)));
  out.tolerance.resize(out.value.size());
  const bool nk = o.weights_layout == CORTEX_WEIGHTS_NK;
  for (int64_t b = 0; b < product(all); ++b) {
    const float* a_matrix = o.src + batch_index(p.batch_a, all, b) * p.m * p.k;
    const float* b_matrix = o.weights + batch_index(p.batch_b, all, b) * p.k * p.n;
    for (int64_t i = 0; i < p.m; ++i)
      for (int64_t j = 0; j < p.n; ++j) {
        Sum sum;
        for (int64_t l = 0; l < p.k; ++l) {
          sum.add((p.a_transposed ? a_matrix[l * p.m + i] : a_matrix[i * p.k + l]) - zero,
                  nk ? b_matrix[j * p.k + l] : b_matrix[l * p.n + j]);
        }
        finish(problem, o, sum, j, (b * p.m + i) * p.n + j, out);
      }
  }
  return out;
}

}  // namespace

Expected reference(const Problem& problem, const Operands& operands) {
  return problem.is_conv() ? conv(problem, operands) : matmul(problem, operands);
}

int64_t src_elements(const Problem& problem) {
  if (problem.is_matmul()) return product(problem.matmul().batch_a) * problem.matmul().m * problem.matmul().k;
  const ConvProblem& p = problem.conv();
  return p.mb * p.ic * p.id * p.ih * p.iw;
}

int64_t weights_elements(const Problem& problem) {
  if (problem.is_matmul()) return product(problem.matmul().batch_b) * problem.matmul().k * problem.matmul().n;
  const ConvProblem& p = problem.conv();
  return p.oc * (p.ic / p.g) * p.kd * p.kh * p.kw;
}

int64_t bias_elements(const Problem& problem) {
  return problem.is_matmul() ? problem.matmul().n : problem.conv().oc;
}

int64_t dst_elements(const Problem& problem) {
  if (problem.is_matmul())
    return product(batch_of(problem.matmul())) * problem.matmul().m * problem.matmul().n;
  const ConvProblem& p = problem.conv();
  return p.mb * p.oc * p.od * p.oh * p.ow;
}

}  // namespace cortex::testing
