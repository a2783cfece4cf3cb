#include "bench/reference/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "support/checked.h"

namespace cortex::bench {
namespace {

constexpr double unit_roundoff = 0x1p-24, bf16_roundoff = 0x1p-8;
constexpr double infinite_ratio = 1e30;  // JSON has no infinity

// Higham, Accuracy and Stability of Numerical Algorithms, ch. 3: n roundings lose at most gamma_n.
double gamma(double n) { return n * unit_roundoff / (1 - n * unit_roundoff); }

double activate(const Epilogue& e, double v) {
  switch (e.activation) {
    case Activation::none:
      return v;
    case Activation::relu:
      return v > 0 ? v : v * e.alpha;
    case Activation::clip:
      return std::min(std::max(v, double(e.alpha)), double(e.beta));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-v));
    case Activation::tanh:
      return std::tanh(v);
    case Activation::gelu_erf:
      return v / 2 * (1 + std::erf(v / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
  }
  return v;
}

// By how much the activation can stretch an error of its argument.
double stretch(const Epilogue& e) {
  switch (e.activation) {
    case Activation::relu:
      return std::max(1.0, std::abs(double(e.alpha)));
    case Activation::gelu_erf:
    case Activation::gelu_tanh:
      return 1.13;
    default:
      return 1;
  }
}

// The activation's own error: float approximations of the transcendental ones are good to a few ulp of
// max(1, |x|).
double activation_error(const Epilogue& e, double v) {
  switch (e.activation) {
    case Activation::none:
    case Activation::clip:
      return 0;
    case Activation::relu:
      return e.alpha != 0 ? unit_roundoff * std::abs(v * e.alpha) : 0;
    default:
      return 16 * unit_roundoff * std::max(1.0, std::abs(v));
  }
}

double ratio_of(double error, double tolerance) {
  if (error == 0) return 0;
  const double ratio = error / tolerance;  // NaN and division by zero fail the comparison below
  return ratio < infinite_ratio ? ratio : infinite_ratio;
}

}  // namespace

Reference::Reference(const Problem& problem, const Operands& operands, const ReferenceOptions& options)
    : problem_(problem), operands_(operands), rows_(problem) {
  gamma_ = gamma(static_cast<double>(reduction_length(problem)) + 3);  // + bias, residual and its scale
  const bool all = flop_count(problem) <= options.full_check_flops;
  if (const auto zero = static_cast<float>(problem.src_zero_point); zero != 0) {
    from_zero_.assign(operands.a_data(), operands.a_data() + a_elements(problem));
    for (float& x : from_zero_) x -= zero;
  }
  choose_rows(options, all);
  compute_sampled();
  const bool linear = problem.epilogue.activation == Activation::none && !problem.epilogue.scale &&
                      problem.dst != DataType::u8 && problem.dst != DataType::s8 &&
                      (problem.dst != DataType::s32 || problem.epilogue.empty());
  if (!all && linear) compute_projections(options.seed);
}

void Reference::choose_rows(const ReferenceOptions& options, bool all) {
  if (all) {
    sampled_.resize(static_cast<std::size_t>(rows_.count()));
    for (std::size_t i = 0; i < sampled_.size(); ++i) sampled_[i] = static_cast<int64_t>(i);
    return;
  }
  sampled_ = rows_.corner_rows();
  Random random(options.seed);
  const int64_t wanted = std::max<int64_t>(4, ceil_div(options.sampled_outputs, rows_.width()));
  for (int64_t i = 0; i < wanted; ++i) sampled_.push_back(random.between(0, rows_.count() - 1));
  std::sort(sampled_.begin(), sampled_.end());
  sampled_.erase(std::unique(sampled_.begin(), sampled_.end()), sampled_.end());
}

Reference::Expected Reference::finish(double sum, double magnitude, int64_t column, int64_t element) const {
  const Epilogue& e = problem_.epilogue;
  double value = sum, late_residual = 0;
  if (e.scale) {
    const double scale = double(operands_.scale.as<float>()[column]);
    value *= scale;
    magnitude *= scale;
  }
  if (e.bias) {
    const double bias = operands_.bias.as<float>()[column];
    value += bias;
    magnitude += std::abs(bias);
  }
  if (e.residual) {
    const double residual = double(operands_.residual.as<float>()[element]) * double(e.residual_scale);
    if (e.residual_after_activation) {
      late_residual = residual;
    } else {
      value += residual;
      magnitude += std::abs(residual);
    }
  }
  double tolerance = gamma_ * magnitude * stretch(e) + activation_error(e, value);
  value = activate(e, value) + late_residual;
  if (late_residual != 0) tolerance += gamma(3) * (std::abs(value) + std::abs(late_residual));
  return stored(value, tolerance);
}

// As an element of C.
Reference::Expected Reference::stored(double value, double tolerance) const {
  const auto saturated = [&](double low, double high) {
    value = std::min(std::max(value + problem_.epilogue.zero_point, low), high);
    return Expected{value, tolerance + 0.5 + 1e-5 * std::abs(value)};
  };
  switch (problem_.dst) {
    case DataType::bf16:
      return {value, tolerance + bf16_roundoff * (std::abs(value) + tolerance) + 1e-38};
    case DataType::u8:
      return saturated(0, 255);
    case DataType::s8:
      return saturated(-128, 127);
    case DataType::s32:  // sums are whole already; what else is added need not be
      return {value, tolerance + (problem_.epilogue.empty() ? 0 : 0.5)};
    default:
      return {value, tolerance};
  }
}

void Reference::compute_sampled() {
  const int64_t width = rows_.width();
  std::vector<double> sum(static_cast<std::size_t>(width)), magnitude(sum.size());
  const Columns columns{operands_.b_data(), nullptr, nullptr, width};
  expected_.reserve(sampled_.size() * sum.size());
  for (int64_t row : sampled_) {
    rows_.compute(row, a(), columns, sum.data(), magnitude.data());
    for (int64_t j = 0; j < width; ++j) {
      expected_.push_back(finish(sum[j], magnitude[j], rows_.first_column(row) + j, rows_.offset(row) + j));
    }
  }
}

// Blocks of columns are added with random signs: B becomes narrow, and each of its columns stands for a
// whole block. The bound uses Minkowski's inequality over the block: |b| becomes sqrt(sum b^2).
void Reference::compute_projections(uint64_t seed) {
  const int64_t width = rows_.width();
  const double budget = 300e6;  // multiply-adds in double spent here
  block_ = std::max<int64_t>(16, static_cast<int64_t>(std::ceil(double(multiply_adds(problem_)) / budget)));
  block_ = std::min(block_, width);
  const int64_t blocks = ceil_div(width, block_);
  Random random(seed ^ 0x70726f6au);
  signs_.resize(static_cast<std::size_t>(bias_elements(problem_)));
  for (double& s : signs_) s = random.next() >> 63 ? 1.0 : -1.0;

  std::vector<double> b(static_cast<std::size_t>(rows_.b_rows() * blocks), 0.0), bound(b.size(), 0.0);
  const int64_t rows_per_group = problem_.is_conv() ? rows_.b_rows() / problem_.conv().g : rows_.b_rows();
  for (int64_t r = 0; r < rows_.b_rows(); ++r) {
    const double* signs = signs_.data() + (problem_.is_conv() ? r / rows_per_group * width : 0);
    for (int64_t j = 0; j < width; ++j) {
      const double value = operands_.b_data()[rows_.b_offset(r, j)];
      b[r * blocks + j / block_] += signs[j] * value;
      bound[r * blocks + j / block_] += value * value;
    }
  }
  for (double& x : bound) x = std::sqrt(x);

  projected_.resize(static_cast<std::size_t>(rows_.count() * blocks));
  projected_bound_.resize(projected_.size());
  const Columns columns{nullptr, b.data(), bound.data(), blocks};
  for (int64_t row = 0; row < rows_.count(); ++row) {
    rows_.compute(row, a(), columns, &projected_[row * blocks], &projected_bound_[row * blocks]);
  }
}

Verdict Reference::check(const float* result) const {
  Verdict verdict;
  const int64_t width = rows_.width();
  std::size_t next = 0;
  for (int64_t row : sampled_) {
    for (int64_t j = 0; j < width; ++j, ++next) {
      const double got = result[rows_.offset(row) + j];
      const double ratio = ratio_of(std::abs(got - expected_[next].value), expected_[next].tolerance);
      if (ratio <= verdict.error_ratio) continue;
      verdict.error_ratio = ratio;
      if (ratio > 1) {
        verdict.where = fmt::format("output {} is {}, expected {} +- {:.3g}", rows_.offset(row) + j, got,
                                    expected_[next].value, expected_[next].tolerance);
      }
    }
  }
  verdict.compared = static_cast<int64_t>(next);
  if (verdict.compared < rows_.count() * width) check_projections(result, verdict);
  return verdict;
}

void Reference::check_projections(const float* result, Verdict& verdict) const {
  const int64_t width = rows_.width();
  const Epilogue& e = problem_.epilogue;
  const int64_t blocks = block_ ? ceil_div(width, block_) : 1;
  const int64_t block = block_ ? block_ : width;
  for (int64_t row = 0; row < rows_.count(); ++row) {
    const float* values = result + rows_.offset(row);
    for (int64_t blk = 0; blk < blocks; ++blk) {
      const int64_t first = blk * block, last = std::min(width, first + block);
      double got = 0, extra = 0, extra_squares = 0, rounded_squares = 0;
      for (int64_t j = first; j < last; ++j) {
        const double sign = block_ ? signs_[rows_.first_column(row) + j] : 1.0;
        got += sign * values[j];
        if (!block_) continue;
        if (problem_.dst == DataType::bf16) rounded_squares += double(values[j]) * double(values[j]);
        double added = 0, size = 0;
        if (e.bias) added += operands_.bias.as<float>()[rows_.first_column(row) + j], size += std::abs(added);
        if (e.residual) {
          const double r =
              double(operands_.residual.as<float>()[rows_.offset(row) + j]) * double(e.residual_scale);
          added += r;
          size += std::abs(r);
        }
        extra += sign * added;
        extra_squares += size * size;
      }
      double ratio = std::isfinite(got) ? 0 : infinite_ratio;
      if (block_ && ratio == 0) {
        // Hoeffding over the random signs: outputs each within gamma_K * magnitude exceed 8 times the root of
        // the sum of squares with probability below 2 exp(-32).
        const double expected = projected_[row * blocks + blk] + extra;
        const double tolerance =
            8 * gamma_ * (projected_bound_[row * blocks + blk] + std::sqrt(extra_squares)) +
            8 * 1.01 * bf16_roundoff * std::sqrt(rounded_squares);
        ratio = ratio_of(std::abs(got - expected), tolerance);
      }
      if (ratio <= 1) continue;  // a pass here is weaker evidence than an output compared: not reported
      if (ratio > verdict.error_ratio) {
        verdict.error_ratio = ratio;
        verdict.where = fmt::format("outputs {} to {} are off in their projection", rows_.offset(row) + first,
                                    rows_.offset(row) + last - 1);
      }
    }
  }
}

}  // namespace cortex::bench
