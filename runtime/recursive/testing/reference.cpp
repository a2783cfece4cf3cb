#include "runtime/recursive/testing/reference.h"

#include <algorithm>
#include <cmath>

namespace cortex::recursive::testing {
namespace {

using Vector = std::vector<double>;

class Evaluation {
 public:
  Evaluation(const Model& model, const Parameters& parameters, const cortex_recursive_batch& batch,
             bool reverse)
      : model_(model), parameters_(parameters), batch_(batch), done_(static_cast<std::size_t>(batch.nodes)) {
    children_.resize(done_.size());
    for (int64_t s = 0; s < batch.structures; ++s) {
      for (int32_t v = batch.structure_offsets[s]; v < batch.structure_offsets[s + 1]; ++v) {
        auto& list = children_[static_cast<std::size_t>(v)];
        if (batch.child_offsets) {
          list.assign(batch.child_ids + batch.child_offsets[v], batch.child_ids + batch.child_offsets[v + 1]);
        } else if (!reverse && v > batch.structure_offsets[s]) {
          list = {v - 1};
        } else if (reverse && v + 1 < batch.structure_offsets[s + 1]) {
          list = {v + 1};
        }
      }
    }
  }

  std::vector<std::vector<Vector>> run() {
    for (std::size_t v = 0; v < done_.size(); ++v) {
      std::vector<std::size_t> path = {v};
      while (!path.empty()) {
        const std::size_t at = path.back();
        std::size_t waiting = at;
        for (const int32_t c : children_[at]) {
          if (done_[static_cast<std::size_t>(c)].empty()) waiting = static_cast<std::size_t>(c);
        }
        if (waiting != at) {
          path.push_back(waiting);
          continue;
        }
        path.pop_back();
        if (done_[at].empty()) done_[at] = node(at);
      }
    }
    return std::move(done_);
  }

 private:
  std::vector<Vector> node(std::size_t v) {
    const bool leaf = children_[v].empty() && model_.leaf;
    const Cell& cell = leaf ? *model_.leaf : model_.node;
    std::vector<Vector> states;
    for (std::size_t s = 0; s < cell.states.size(); ++s) {
      Vector value = compute(cell, cell.states[s], v, -1);
      value.resize(static_cast<std::size_t>(elements(model_.shape(model_.states[s].dims))),
                   value.empty() ? 0 : value[0]);
      states.push_back(value);
    }
    return states;
  }

  // child: which child's per-child value is meant, -1 outside of reductions.
  Vector compute(const Cell& cell, int i, std::size_t v, int child) {
    const Value& value = cell.values[static_cast<std::size_t>(i)];
    const auto arg = [&](std::size_t k) { return compute(cell, value.args[k], v, child); };
    const auto shape_of = [&](std::size_t k) {
      return cell.values[static_cast<std::size_t>(value.args[k])].shape;
    };
    const std::vector<int32_t>& children = children_[v];
    switch (value.op) {
      case Op::constant:
        return Vector(static_cast<std::size_t>(elements(value.shape)), value.number);
      case Op::parameter: {
        const auto& p = parameters_[static_cast<std::size_t>(value.ref)];
        return Vector(p.begin(), p.end());
      }
      case Op::table_row: {
        const std::size_t width = static_cast<std::size_t>(elements(value.shape));
        const int32_t word = batch_.words[v];
        if (word < 0) return Vector(width, 0.0);
        const float* row =
            parameters_[static_cast<std::size_t>(value.ref)].data() + static_cast<std::size_t>(word) * width;
        return Vector(row, row + width);
      }
      case Op::feature: {
        const std::size_t width = static_cast<std::size_t>(elements(value.shape));
        return Vector(batch_.features + v * width, batch_.features + (v + 1) * width);
      }
      case Op::child: {
        int k = child;
        if (value.child.kind == ChildRef::slot) k = value.child.index;
        if (value.child.kind == ChildRef::selected) k = batch_.selectors[v];
        if (k < 0 || k >= static_cast<int>(children.size()))
          return Vector(static_cast<std::size_t>(elements(value.shape)), 0.0);
        return done_[static_cast<std::size_t>(children[static_cast<std::size_t>(k)])]
                    [static_cast<std::size_t>(value.ref)];
      }
      case Op::matmul:
        return multiply(arg(0), shape_of(0), arg(1), shape_of(1));
      case Op::slice: {
        const Vector a = arg(0);
        const int64_t inner = elements(value.shape) / value.shape[0];
        return Vector(a.begin() + value.begin * inner, a.begin() + value.end * inner);
      }
      case Op::slot: {
        const Vector a = arg(0);
        const int64_t width = elements(value.shape);
        return Vector(a.begin() + child * width, a.begin() + (child + 1) * width);
      }
      case Op::concat: {
        Vector out;
        const bool over_children = cell.values[static_cast<std::size_t>(value.args[0])].per_child;
        for (std::size_t k = 0; !over_children && k < value.args.size(); ++k) {
          const Vector a = arg(k);
          out.insert(out.end(), a.begin(), a.end());
        }
        for (int k = 0; over_children && k < static_cast<int>(children.size()); ++k) {
          const Vector a = compute(cell, value.args[0], v, k);
          out.insert(out.end(), a.begin(), a.end());
        }
        out.resize(static_cast<std::size_t>(elements(value.shape)), 0.0);
        return out;
      }
      case Op::sum:
      case Op::max: {
        Vector out(static_cast<std::size_t>(elements(value.shape)), 0.0);
        for (int k = 0; k < static_cast<int>(children.size()); ++k) {
          const Vector a = compute(cell, value.args[0], v, k);
          for (std::size_t j = 0; j < out.size(); ++j) {
            out[j] = value.op == Op::sum ? out[j] + a[j] : k == 0 ? a[j] : std::max(out[j], a[j]);
          }
        }
        return out;
      }
      default: {
        Vector a = arg(0);
        Vector b = value.args.size() > 1 ? arg(1) : Vector(a.size(), 0.0);
        const std::size_t n = static_cast<std::size_t>(elements(value.shape));
        if (a.size() < n) a.resize(n, a[0]);
        if (b.size() < n) b.resize(n, b[0]);
        for (std::size_t j = 0; j < n; ++j) a[j] = scalar(value.op, a[j], b[j]);
        return a;
      }
    }
  }

  static double scalar(Op op, double a, double b) {
    switch (op) {
      case Op::add:
        return a + b;
      case Op::sub:
        return a - b;
      case Op::mul:
        return a * b;
      case Op::div:
        return a / b;
      case Op::maximum:
        return std::max(a, b);
      case Op::minimum:
        return std::min(a, b);
      case Op::sigmoid:
        return 1 / (1 + std::exp(-a));
      case Op::tanh:
        return std::tanh(a);
      case Op::relu:
        return std::max(a, 0.0);
      default:
        return std::exp(a);
    }
  }

  static Vector multiply(const Vector& a, const std::vector<int64_t>& sa, const Vector& b,
                         const std::vector<int64_t>& sb) {
    const std::size_t m = static_cast<std::size_t>(sa.size() == 2 ? sa[0] : 1),
                      k = static_cast<std::size_t>(sa.back());
    const std::size_t n = static_cast<std::size_t>(sb.size() == 2 ? sb[1] : 1);
    Vector c(m * n, 0.0);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t l = 0; l < k; ++l) {
        for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * k + l] * b[l * n + j];
      }
    }
    return c;
  }

  const Model& model_;
  const Parameters& parameters_;
  const cortex_recursive_batch& batch_;
  std::vector<std::vector<int32_t>> children_;
  std::vector<std::vector<Vector>> done_;
};

}  // namespace

std::vector<std::vector<Vector>> evaluate(const Model& model, const Parameters& parameters,
                                          const cortex_recursive_batch& batch, bool reverse) {
  return Evaluation(model, parameters, batch, reverse).run();
}

}  // namespace cortex::recursive::testing
