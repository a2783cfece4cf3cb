// What one node computes, in double, from its children's states: the equations of include/cortex/recursive.h.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/recursive/bounded.h"
#include "bench/recursive/operands.h"

namespace cortex::bench {

// A node's states: h, and c or M (row-major) behind it.
using NodeState = std::vector<Bounded>;

class Cell {
 public:
  Cell(const RecursiveProblem& problem, const RecursiveOperands& operands);

  int64_t state_size() const { return hidden_ + second_; }

  // The states of a node with this word (Structures::no_word: none) over children[k], each state_size()
  // values. `units`: elements of h (and c) wanted, empty: all; the others come back as zero.
  void evaluate(int32_t word, const std::vector<const double*>& children, const std::vector<int64_t>& units,
                NodeState& out) const;
  // Whether a few units cost less than all of them: not where a gate enters another product.
  bool divisible() const;
  double multiply_adds(int64_t children) const;

 private:
  struct Matrix {
    const float* values = nullptr;
    int64_t rows = 0, columns = 0;
  };
  using Vector = std::vector<Bounded>;
  Matrix matrix(const char* name) const;
  // W[row][first ... first + y.size()) . y
  Bounded product(const Matrix& w, int64_t row, const Vector& y, int64_t first = 0) const;
  Vector products(const Matrix& w, int64_t first_row, const Vector& y) const;  // hidden rows
  Bounded input(int32_t word, int64_t element) const;                          // of X; zero without a word
  Bounded bias(int64_t element) const { return {b_[element], 0}; }
  void sum_children(const std::vector<const double*>& children, Vector& hs) const;

  void pair(int32_t word, const std::vector<const double*>& children, const std::vector<int64_t>& units,
            NodeState& out) const;
  void simple(int32_t word, const Vector& hs, const std::vector<int64_t>& units, NodeState& out) const;
  void gru(int32_t word, const Vector& hs, NodeState& out) const;
  void lstm(int32_t word, const std::vector<const double*>& children, const std::vector<int64_t>& units,
            NodeState& out) const;
  void mvrnn(int32_t word, const std::vector<const double*>& children, NodeState& out) const;

  RecursiveModel model_;
  int64_t hidden_, second_, slots_;
  Matrix x_, u_, u_f_, w_, w_m_;
  const float* b_ = nullptr;
  const float* b_m_ = nullptr;
  const float* x_m_ = nullptr;
};

}  // namespace cortex::bench
