// A Nest's meaning, written down as plainly as it can be: every point of the box, in double. For tests.
#pragma once

#include <cmath>
#include <vector>

#include "graph/nest/nest.h"

namespace cortex {

struct EvaluateArgs {
  std::vector<float> a, b;
  std::vector<float> bias;      // empty unless the epilogue has it
  std::vector<float> residual;  // C's layout, empty unless the epilogue has it
};

// Elements from the first to the last a tensor reaches.
inline int64_t span_of(const Tensor& tensor) {
  int64_t span = 1;
  for (size_t i = 0; i < tensor.shape.size(); ++i) span += (tensor.shape[i] - 1) * tensor.strides[i];
  return span;
}

// Offset of the element at `point`; -1 where a padded access leaves its tensor.
inline int64_t offset_at(const Access& access, const std::vector<int64_t>& point) {
  int64_t offset = 0;
  for (size_t i = 0; i < access.subscripts.size(); ++i) {
    int64_t index = access.subscripts[i].constant;
    for (const AffineTerm& term : access.subscripts[i].terms) index += term.coeff * point[term.dim];
    if (index < 0 || index >= access.tensor.shape[i]) return -1;
    offset += index * access.tensor.strides[i];
  }
  return offset;
}

inline double evaluate_activation(const Epilogue& e, double x) {
  switch (e.activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x > 0 ? x : x * e.alpha;
    case Activation::clip:
      return std::fmin(std::fmax(x, e.alpha), e.beta);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::gelu_erf:
      return x / 2 * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
  }
  return x;
}

// C, epilogue applied; elements no point writes stay 0. Channels are innermost in every destination,
// hence bias of an element at offset o is bias[o mod its length].
inline std::vector<double> evaluate(const Nest& nest, const EvaluateArgs& args) {
  std::vector<double> c(static_cast<size_t>(span_of(nest[Operand::c].tensor)));
  std::vector<int64_t> point(nest.dims.size());
  bool more = true;
  while (more) {
    const int64_t a = offset_at(nest[Operand::a], point), b = offset_at(nest[Operand::b], point);
    if (a >= 0 && b >= 0) {
      c[static_cast<size_t>(offset_at(nest[Operand::c], point))] +=
          (static_cast<double>(args.a[static_cast<size_t>(a)]) - nest.a_zero_point) *
          args.b[static_cast<size_t>(b)];
    }
    more = false;
    for (size_t d = point.size(); d-- > 0 && !more;) {
      if (++point[d] < nest.dims[d].extent) {
        more = true;
      } else {
        point[d] = 0;
      }
    }
  }
  const Epilogue& e = nest.epilogue;
  for (size_t i = 0; i < c.size(); ++i) {
    const double residual = e.residual ? static_cast<double>(args.residual[i]) * e.residual_scale : 0;
    double v = c[i];
    if (e.bias) v += args.bias[i % args.bias.size()];
    if (!e.residual_after_activation) v += residual;
    v = evaluate_activation(e, v);
    if (e.residual_after_activation) v += residual;
    c[i] = v;
  }
  return c;
}

}  // namespace cortex
