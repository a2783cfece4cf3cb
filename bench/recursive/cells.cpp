#include "bench/recursive/cells.h"

#include <cassert>
#include <cmath>
#include <numeric>

namespace cortex::bench {

Cell::Cell(const RecursiveProblem& problem, const RecursiveOperands& operands)
    : model_(problem.model),
      hidden_(problem.hidden),
      second_(second_state_size(problem)),
      slots_(operands.max_children) {
  for (const RecursiveParameter& p : operands.parameters) {
    const Matrix m = {p.data(), p.dims[0], p.dims.size() > 1 ? p.dims[1] : 1};
    if (p.name == "X") x_ = m;
    if (p.name == "U") u_ = m;
    if (p.name == "U_f") u_f_ = m;
    if (p.name == "W") w_ = m;
    if (p.name == "W_M") w_m_ = m;
    if (p.name == "b") b_ = p.data();
    if (p.name == "b_M") b_m_ = p.data();
    if (p.name == "X_M") x_m_ = p.data();
  }
}

Bounded Cell::product(const Matrix& w, int64_t row, const Vector& y, int64_t first) const {
  const float* r = w.values + row * w.columns + first;
  double sum = 0, magnitude = 0, carried = 0;
  for (size_t k = 0; k < y.size(); ++k) {
    const double weight = r[k];
    sum += weight * y[k].value;
    magnitude += std::fabs(weight * y[k].value);
    carried += std::fabs(weight) * y[k].error;
  }
  return {sum, carried + gamma_of(double(y.size())) * magnitude};
}

Cell::Vector Cell::products(const Matrix& w, int64_t first_row, const Vector& y) const {
  Vector out(static_cast<size_t>(hidden_));
  for (int64_t j = 0; j < hidden_; ++j) out[size_t(j)] = product(w, first_row + j, y);
  return out;
}

Bounded Cell::input(int32_t word, int64_t element) const {
  return {word == Structures::no_word ? 0.0 : x_.values[word * x_.columns + element], 0};
}

void Cell::sum_children(const std::vector<const double*>& children, Vector& hs) const {
  hs.assign(size_t(hidden_), {});
  for (int64_t j = 0; j < hidden_; ++j) {
    double sum = 0, magnitude = 0;
    for (const double* child : children) {
      sum += child[j];
      magnitude += std::fabs(child[j]);
    }
    hs[size_t(j)] = {sum, gamma_of(double(children.size())) * magnitude};
  }
}

void Cell::pair(int32_t word, const std::vector<const double*>& children, const std::vector<int64_t>& units,
                NodeState& out) const {
  if (children.empty()) {
    for (int64_t j = 0; j < hidden_; ++j) out[size_t(j)] = input(word, j);
    return;
  }
  Vector both;
  for (int k = 0; k < 2; ++k) {
    for (int64_t j = 0; j < hidden_; ++j) both.push_back({children[size_t(k)][j], 0});
  }
  for (int64_t j : units) out[size_t(j)] = relu(product(w_, j, both) + bias(j));
}

void Cell::simple(int32_t word, const Vector& hs, const std::vector<int64_t>& units, NodeState& out) const {
  for (int64_t j : units) out[size_t(j)] = tanh(product(u_, j, hs) + input(word, j) + bias(j));
}

void Cell::gru(int32_t word, const Vector& hs, NodeState& out) const {
  const int64_t h = hidden_;
  const Vector ur = products(u_, 0, hs), uz = products(u_, h, hs);
  Vector reset(static_cast<size_t>(h));
  for (int64_t j = 0; j < h; ++j) {
    reset[size_t(j)] = sigmoid(ur[size_t(j)] + input(word, j) + bias(j)) * hs[size_t(j)];
  }
  const Vector ug = products(u_, 2 * h, reset);
  for (int64_t j = 0; j < h; ++j) {
    const Bounded z = sigmoid(uz[size_t(j)] + input(word, h + j) + bias(h + j));
    const Bounded g = tanh(ug[size_t(j)] + input(word, 2 * h + j) + bias(2 * h + j));
    out[size_t(j)] = (Bounded{1, 0} - z) * g + z * hs[size_t(j)];
  }
}

// All three LSTMs: they differ in what the products read and in the order of the blocks.
void Cell::lstm(int32_t word, const std::vector<const double*>& children, const std::vector<int64_t>& units,
                NodeState& out) const {
  const int64_t h = hidden_;
  const bool nary = model_ == RecursiveModel::treelstm_nary, sequence = model_ == RecursiveModel::seqlstm;
  const int64_t i_block = 0, f_block = sequence ? 1 : 3, o_block = sequence ? 3 : 1, u_block = 2;
  Vector hs;
  if (nary) {
    hs.assign(size_t(slots_ * h), {});
    for (size_t k = 0; k < children.size(); ++k) {
      for (int64_t j = 0; j < h; ++j) hs[k * size_t(h) + size_t(j)] = {children[k][j], 0};
    }
  } else {
    sum_children(children, hs);
  }
  std::vector<Vector> own;  // h_k, of the child-sum's forget gates
  if (model_ == RecursiveModel::treelstm) {
    for (const double* child : children) {
      Vector& y = own.emplace_back(size_t(h));
      for (int64_t j = 0; j < h; ++j) y[size_t(j)] = {child[j], 0};
    }
  }
  for (int64_t j : units) {
    const auto gate = [&](int64_t block) {
      return product(u_, block * h + j, hs) + input(word, block * h + j) + bias(block * h + j);
    };
    Bounded c = sigmoid(gate(i_block)) * tanh(gate(u_block));
    const double kept = c.value;
    double sum = c.value, magnitude = std::fabs(kept), error = c.error;
    for (size_t k = 0; k < children.size(); ++k) {
      const Bounded uf = sequence ? product(u_, f_block * h + j, hs)
                         : nary   ? product(u_f_, int64_t(k) * h + j, hs)
                                  : product(u_f_, j, own[k]);
      const Bounded f = sigmoid(uf + input(word, f_block * h + j) + bias(f_block * h + j));
      const Bounded term = f * Bounded{children[k][h + j], 0};
      sum += term.value;
      magnitude += std::fabs(term.value);
      error += term.error;
    }
    // Terms may be added in any order.
    c = {sum, error + gamma_of(double(children.size())) * magnitude};
    out[size_t(h + j)] = c;
    out[size_t(j)] = sigmoid(gate(o_block)) * tanh(c);
  }
}

void Cell::mvrnn(int32_t word, const std::vector<const double*>& children, NodeState& out) const {
  const int64_t h = hidden_;
  if (children.empty()) {
    for (int64_t j = 0; j < h; ++j) out[size_t(j)] = input(word, j);
    for (int64_t j = 0; j < h * h; ++j) out[size_t(h + j)] = {x_m_[word * h * h + j], 0};
    return;
  }
  Vector both(static_cast<size_t>(2 * h));
  for (int k = 0; k < 2; ++k) {
    const double *y = children[size_t(k)], *m = children[size_t(1 - k)] + h;
    for (int64_t j = 0; j < h; ++j) {
      double sum = 0, magnitude = 0;
      for (int64_t i = 0; i < h; ++i) {
        sum += y[i] * m[i * h + j];
        magnitude += std::fabs(y[i] * m[i * h + j]);
      }
      both[size_t(k * h + j)] = {sum, gamma_of(double(h)) * magnitude};
    }
  }
  for (int64_t j = 0; j < h; ++j) out[size_t(j)] = tanh(product(w_, j, both) + bias(j));
  for (int64_t i = 0; i < h; ++i) {
    std::vector<double> sum(size_t(h), 0.0), magnitude(size_t(h), 0.0);
    for (int64_t k = 0; k < 2 * h; ++k) {
      const double weight = w_m_.values[i * 2 * h + k];
      const double* m = children[k < h ? 0 : 1] + h + (k % h) * h;
      for (int64_t j = 0; j < h; ++j) {
        sum[size_t(j)] += weight * m[j];
        magnitude[size_t(j)] += std::fabs(weight * m[j]);
      }
    }
    for (int64_t j = 0; j < h; ++j) {
      out[size_t(h + i * h + j)] = Bounded{sum[size_t(j)], gamma_of(2.0 * double(h)) * magnitude[size_t(j)]} +
                                   Bounded{b_m_[i * h + j], 0};
    }
  }
}

void Cell::evaluate(int32_t word, const std::vector<const double*>& children,
                    const std::vector<int64_t>& units, NodeState& out) const {
  out.assign(size_t(state_size()), {});
  std::vector<int64_t> all;
  if (units.empty()) {
    all.resize(size_t(hidden_));
    std::iota(all.begin(), all.end(), 0);
  }
  const std::vector<int64_t>& wanted = units.empty() ? all : units;
  Vector hs;
  switch (model_) {
    case RecursiveModel::treefc:
      return pair(word, children, wanted, out);
    case RecursiveModel::treernn:
    case RecursiveModel::dagrnn:
    case RecursiveModel::seqrnn:
      sum_children(children, hs);
      return simple(word, hs, wanted, out);
    case RecursiveModel::treegru:
    case RecursiveModel::seqgru:
      sum_children(children, hs);
      return gru(word, hs, out);
    case RecursiveModel::treelstm:
    case RecursiveModel::treelstm_nary:
    case RecursiveModel::seqlstm:
      return lstm(word, children, wanted, out);
    case RecursiveModel::mvrnn:
      return mvrnn(word, children, out);
  }
}

bool Cell::divisible() const {
  return model_ != RecursiveModel::treegru && model_ != RecursiveModel::seqgru &&
         model_ != RecursiveModel::mvrnn;
}

double Cell::multiply_adds(int64_t children) const {
  const double h = double(hidden_), k = double(children);
  switch (model_) {
    case RecursiveModel::mvrnn:
      return children == 0 ? h * h : 2 * h * h * h + 4 * h * h;
    case RecursiveModel::treelstm_nary:
      return (3 + k) * double(slots_) * h * h;
    default:
      return (4 + k) * h * h;
  }
}

}  // namespace cortex::bench
