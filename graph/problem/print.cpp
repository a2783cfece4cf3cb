#include <fmt/format.h>

#include "graph/problem/problem.h"

namespace cortex {
namespace {

struct AxisText {
  char letter;
  int64_t in, out, kernel, stride, pad, dilation;
  bool trivial() const {
    return in == 1 && out == 1 && kernel == 1 && stride == 1 && pad == 0 && dilation == 0;
  }
};

std::string conv_text(const ConvProblem& p) {
  const AxisText d{'d', p.id, p.od, p.kd, p.sd, p.pd, p.dd}, h{'h', p.ih, p.oh, p.kh, p.sh, p.ph, p.dh},
      w{'w', p.iw, p.ow, p.kw, p.sw, p.pw, p.dw};
  std::vector<AxisText> axes;
  if (!d.trivial()) axes.push_back(d);
  if (!d.trivial() || !h.trivial()) axes.push_back(h);
  axes.push_back(w);
  std::string text = p.g != 1 ? fmt::format("g{}", p.g) : "";
  text += fmt::format("mb{}_ic{}", p.mb, p.ic);
  const auto each = [&](char prefix, int64_t AxisText::*field) {
    for (const AxisText& axis : axes) text += fmt::format("{}{}{}", prefix, axis.letter, axis.*field);
  };
  const auto any = [&](int64_t AxisText::*field, int64_t trivial) {
    for (const AxisText& axis : axes) {
      if (axis.*field != trivial) return true;
    }
    return false;
  };
  each('i', &AxisText::in);
  text += fmt::format("_oc{}", p.oc);
  each('o', &AxisText::out);
  text += '_';
  each('k', &AxisText::kernel);
  if (any(&AxisText::stride, 1)) each('s', &AxisText::stride);
  each('p', &AxisText::pad);
  if (any(&AxisText::dilation, 0)) each('d', &AxisText::dilation);
  return text;
}

std::string sizes_text(const std::vector<int64_t>& batch, int64_t rows, int64_t columns) {
  std::string text;
  for (int64_t size : batch) text += fmt::format("{}x", size);
  return text + fmt::format("{}x{}", rows, columns);
}

std::string transposed_tag(size_t rank) {
  std::string tag;
  for (size_t i = 0; i < rank; ++i) tag += static_cast<char>('a' + i);
  std::swap(tag[rank - 1], tag[rank - 2]);
  return tag;
}

// Shortest text that reads back; -0 and 0 compute the same and read the same. No '+' in an exponent:
// it separates steps.
std::string number_text(float value) {
  std::string text = fmt::format("{}", value + 0.0f);
  std::erase(text, '+');
  return text;
}

std::string activation_text(const Epilogue& e) {
  switch (e.activation) {
    case Activation::none:
      return "";
    case Activation::relu:
      return e.alpha == 0.0f ? "relu" : "relu:" + number_text(e.alpha);
    case Activation::clip:
      return "clip:" + number_text(e.alpha) + ":" + number_text(e.beta);
    case Activation::sigmoid:
      return "logistic";
    default:
      return std::string(activation_name(e.activation));
  }
}

std::string post_ops_text(const Epilogue& e) {
  const std::string activation = activation_text(e);
  if (!e.residual) return activation;
  const std::string sum = e.residual_scale == 1.0f ? "sum" : "sum:" + number_text(e.residual_scale);
  if (activation.empty()) return sum;
  return e.residual_after_activation ? activation + "+" + sum : sum + "+" + activation;
}

std::string zero_points_text(const Problem& p) {
  const int32_t src = p.src_zero_point, dst = p.epilogue.zero_point;
  if (src == 0 && dst == 0) return "";
  return fmt::format("--attr-zero-points={}{}{} ", src ? fmt::format("src:common:{}", src) : "",
                     src && dst ? "+" : "", dst ? fmt::format("dst:common:{}", dst) : "");
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text;
  const DataType f32 = DataType::f32;
  if (problem.src != f32 || problem.wei != f32 || problem.dst != f32) {
    text += fmt::format("--dt={}:{}:{} ", dtype_name(problem.src), dtype_name(problem.wei),
                        dtype_name(problem.dst));
  }
  if (problem.epilogue.bias) text += problem.is_conv() ? "--dir=FWD_B " : "--bia_dt=f32 ";
  if (problem.epilogue.scale) text += "--attr-oscale=per_oc ";
  text += zero_points_text(problem);
  if (const std::string post_ops = post_ops_text(problem.epilogue); !post_ops.empty()) {
    text += fmt::format("--attr-post-ops={} ", post_ops);
  }
  if (problem.is_conv()) return text + conv_text(problem.conv());
  const MatmulProblem& p = problem.matmul();
  const std::string tag = transposed_tag(p.batch_a.size() + 2);
  if (p.a_transposed) text += fmt::format("--stag={} ", tag);
  if (p.b_transposed) text += fmt::format("--wtag={} ", tag);
  return text + sizes_text(p.batch_a, p.m, p.k) + ":" + sizes_text(p.batch_b, p.k, p.n);
}

// The canonical text names everything that is computed and nothing else, hence is the key.
std::string problem_key(const Problem& problem) { return to_string(problem); }

}  // namespace cortex
