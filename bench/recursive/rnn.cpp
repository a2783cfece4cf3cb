#include "bench/recursive/rnn.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/recursive/bounded.h"
#include "bench/reference/operands.h"
#include "support/fnv.h"

namespace cortex::bench {
namespace {

Status fill(AlignedBuffer& buffer, int64_t count, double scale, uint64_t seed) {
  buffer = AlignedBuffer(static_cast<std::size_t>(count) * sizeof(float));
  if (!buffer) {
    return Error{ErrorCode::out_of_memory,
                 fmt::format("cannot allocate {} bytes: choose a smaller problem", 4 * count)};
  }
  fill_uniform(buffer.as<float>(), count, seed);
  for (int64_t i = 0; i < count; ++i) buffer.as<float>()[i] *= static_cast<float>(scale);
  return Status::success();
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// One direction of one layer over one sequence: in [steps][width] -> out [steps][hidden].
std::vector<double> run_layer(const RnnProblem& p, const RnnOperands::Layer& layer,
                              const std::vector<double>& in, bool backwards) {
  const auto h = size_t(p.hidden), width = size_t(layer.in), gates = size_t(rnn_gates(p.cell));
  const float *w = layer.w.as<float>(), *u = layer.u.as<float>(), *b = layer.b.as<float>();
  std::vector<double> out(size_t(p.steps) * h), state(h, 0.0), memory(h, 0.0), wx(gates * h), uh(gates * h);
  const auto dot = [](const float* row, const double* y, size_t n) {
    double sum = 0;
    for (size_t k = 0; k < n; ++k) sum += double(row[k]) * y[k];
    return sum;
  };
  for (int64_t step = 0; step < p.steps; ++step) {
    const auto t = size_t(backwards ? p.steps - 1 - step : step);
    for (size_t j = 0; j < gates * h; ++j) {
      wx[j] = dot(w + j * width, in.data() + t * width, width) + b[j];
      uh[j] = dot(u + j * h, state.data(), h);
    }
    std::vector<double> next(h);
    switch (p.cell) {
      case RnnCell::lstm:
        for (size_t j = 0; j < h; ++j) {
          const auto gate = [&](size_t block) { return wx[block * h + j] + uh[block * h + j]; };
          memory[j] = sigmoid_of(gate(0)) * std::tanh(gate(2)) + sigmoid_of(gate(1)) * memory[j];
          next[j] = sigmoid_of(gate(3)) * std::tanh(memory[j]);
        }
        break;
      case RnnCell::gru: {
        std::vector<double> reset(h);
        for (size_t j = 0; j < h; ++j) reset[j] = sigmoid_of(wx[j] + uh[j]) * state[j];
        for (size_t j = 0; j < h; ++j) {
          const double z = sigmoid_of(wx[h + j] + uh[h + j]);
          const double g = std::tanh(wx[2 * h + j] + dot(u + (2 * h + j) * h, reset.data(), h));
          next[j] = (1 - z) * g + z * state[j];
        }
        break;
      }
      case RnnCell::lbr_gru:  // the reset gate behind the product; no bias of its own
        for (size_t j = 0; j < h; ++j) {
          const double z = sigmoid_of(wx[h + j] + uh[h + j]);
          const double g = std::tanh(wx[2 * h + j] + sigmoid_of(wx[j] + uh[j]) * uh[2 * h + j]);
          next[j] = (1 - z) * g + z * state[j];
        }
        break;
      case RnnCell::vanilla_rnn:
        for (size_t j = 0; j < h; ++j) next[j] = std::tanh(wx[j] + uh[j]);
        break;
    }
    state = next;
    std::copy(state.begin(), state.end(), out.begin() + static_cast<std::ptrdiff_t>(t * h));
  }
  return out;
}

}  // namespace

int64_t rnn_output_width(const RnnProblem& p) {
  return p.direction == RnnDirection::concat ? 2 * p.hidden : p.hidden;
}

Result<RnnOperands> make_rnn_operands(const RnnProblem& p, uint64_t seed) {
  RnnOperands o;
  uint64_t next = fnv1a(to_string(p)) ^ (seed * 0x9e3779b97f4a7c15u);
  if (Status s = fill(o.input, p.batch * p.steps * p.slc, 1, ++next); !s) return s.error();
  const int64_t rows = rnn_gates(p.cell) * p.hidden;
  for (int64_t layer = 0; layer < p.layers; ++layer) {
    for (int direction = 0; direction < (p.both_directions() ? 2 : 1); ++direction) {
      RnnOperands::Layer l;
      l.in = layer == 0 ? p.slc : rnn_output_width(p);
      if (Status s = fill(l.w, rows * l.in, 1 / std::sqrt(double(l.in)), ++next); !s) return s.error();
      if (Status s = fill(l.u, rows * p.hidden, 1 / std::sqrt(double(p.hidden)), ++next); !s)
        return s.error();
      if (Status s = fill(l.b, rows, 0.1, ++next); !s) return s.error();
      o.layers.push_back(std::move(l));
    }
  }
  return o;
}

// Sequences are independent: the first, the last and some between stand for the rest in long runs.
RnnReference::RnnReference(const RnnProblem& p, const RnnOperands& o) : problem_(p), operands_(o) {
  const double each = rnn_multiply_adds(p) / double(p.batch);
  const auto most = std::clamp<int64_t>(static_cast<int64_t>(1e9 / std::max(each, 1.0)), 1, p.batch);
  for (int64_t i = 0; i < most; ++i) sequences_.push_back(most == 1 ? 0 : i * (p.batch - 1) / (most - 1));
  for (const int64_t s : sequences_) {
    std::vector<double> x(o.x() + s * p.steps * p.slc, o.x() + (s + 1) * p.steps * p.slc);
    size_t next = 0;
    for (int64_t layer = 0; layer < p.layers; ++layer) {
      const bool both = p.both_directions();
      std::vector<double> first = run_layer(p, o.layers[next++], x, p.direction == RnnDirection::right2left);
      if (!both) {
        x = std::move(first);
        continue;
      }
      const std::vector<double> second = run_layer(p, o.layers[next++], x, true);
      const auto h = size_t(p.hidden);
      x.assign(size_t(p.steps) * size_t(rnn_output_width(p)), 0.0);
      for (size_t i = 0; i < first.size(); ++i) {
        if (p.direction == RnnDirection::sum) {
          x[i] = first[i] + second[i];
        } else {
          x[i / h * 2 * h + i % h] = first[i];
          x[i / h * 2 * h + h + i % h] = second[i];
        }
      }
    }
    expected_.insert(expected_.end(), x.begin(), x.end());
  }
  // States stay within +-1 and weights are scaled to 1/sqrt(fan-in): |W||x| + |U||h| is about sqrt(fan-in) /
  // 2 at most, and what a step carries over shrinks. One step's bound, once more for what earlier ones left.
  const double length = double(operands_.layers.back().in + p.hidden);
  tolerance_ = 2 * gamma_of(length) * (std::sqrt(length) / 2 + 1) * double(p.layers);
}

int64_t RnnReference::result_count() const {
  return problem_.batch * problem_.steps * rnn_output_width(problem_);
}

Verdict RnnReference::check(const float* result) const {
  Verdict verdict;
  const int64_t width = rnn_output_width(problem_), each = problem_.steps * width;
  for (size_t i = 0; i < sequences_.size(); ++i) {
    for (int64_t j = 0; j < each; ++j) {
      const double expected = expected_[i * size_t(each) + size_t(j)];
      const double found = result[sequences_[i] * each + j];
      const double ratio = std::isfinite(found) ? std::fabs(found - expected) / tolerance_ : 1e30;
      ++verdict.compared;
      if (ratio <= verdict.error_ratio) continue;
      verdict.error_ratio = ratio;
      if (ratio > 1) {
        verdict.where = fmt::format("sequence {}, step {}, h[{}]: {} where {} +- {:.2g} is right",
                                    sequences_[i], j / width, j % width, found, expected, tolerance_);
      }
    }
  }
  const int64_t all = result_count();
  for (int64_t i = 0; i < all; ++i) {
    if (!std::isfinite(result[i])) {
      verdict.error_ratio = 1e30;
      verdict.where = fmt::format("element {} is {}", i, result[i]);
      break;
    }
  }
  return verdict;
}

}  // namespace cortex::bench
