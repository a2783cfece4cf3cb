#include "bench/recursive/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cortex::bench {
namespace {

std::vector<int32_t> by_height(const Structures& batch) {
  const Result<std::vector<int32_t>> h = heights(batch);
  std::vector<int32_t> order(size_t(batch.node_count()));
  std::iota(order.begin(), order.end(), 0);
  if (!h) return {};
  std::stable_sort(order.begin(), order.end(),
                   [&](int32_t a, int32_t b) { return (*h)[size_t(a)] < (*h)[size_t(b)]; });
  return order;
}

}  // namespace

RecursiveReference::RecursiveReference(const RecursiveProblem& problem, const RecursiveOperands& operands,
                                       const RecursiveReferenceOptions& options)
    : problem_(problem),
      operands_(operands),
      options_(options),
      cell_(problem, operands),
      second_(second_state_size(problem)) {}

int64_t RecursiveReference::result_count() const { return operands_.nodes() * cell_.state_size(); }

std::vector<double> RecursiveReference::run(const Structures& batch) const {
  const auto size = size_t(cell_.state_size());
  std::vector<double> states(size_t(batch.node_count()) * size);
  std::vector<const double*> children;
  NodeState node;
  for (const int32_t v : by_height(batch)) {
    children.clear();
    for (int32_t k = 0; k < batch.child_count(v); ++k) {
      children.push_back(states.data() + size_t(batch.children_of(v)[k]) * size);
    }
    cell_.evaluate(batch.word[size_t(v)], children, {}, node);
    for (size_t j = 0; j < size; ++j) states[size_t(v) * size + j] = node[j].value;
  }
  return states;
}

void RecursiveReference::fail(Verdict& verdict, double ratio, size_t batch, int32_t node, int64_t element,
                              double found, Bounded expected) const {
  if (!(ratio > verdict.error_ratio)) return;
  verdict.error_ratio = ratio;
  if (ratio <= 1) return;
  verdict.where = fmt::format("batch {}, node {}, {}[{}]: {} where {} +- {:.2g} is right", batch, node,
                              element < problem_.hidden ? "h" : second_state_name(problem_),
                              element < problem_.hidden ? element : element - problem_.hidden, found,
                              expected.value, expected.error);
}

void RecursiveReference::check_steps(size_t index, const float* h, const float* second, double full_share,
                                     Verdict& verdict) const {
  const Structures& batch = operands_.batches[index];
  const int64_t size = cell_.state_size(), hidden = problem_.hidden;
  std::vector<std::vector<double>> states;
  std::vector<const double*> children;
  std::vector<int64_t> units;
  NodeState node;
  const auto found = [&](int32_t v, int64_t j) {
    return j < hidden ? double(h[v * hidden + j]) : double(second[v * second_ + j - hidden]);
  };
  double due = 0;  // nodes are checked in full whenever a whole one has gathered
  for (int32_t v = 0; v < batch.node_count(); ++v) {
    const int32_t k = batch.child_count(v);
    const bool is_root =
        std::find(batch.root.begin(), batch.root.end(), v) != batch.root.end() && batch.root.size() <= 64;
    due += full_share;
    const bool full = due >= 1 || (full_share > 0.2 && is_root);
    if (due >= 1) due -= 1;
    units.clear();
    for (int64_t j = 0; j < size; ++j) {
      if (!std::isfinite(found(v, j))) return fail(verdict, 1e30, index, v, j, found(v, j), {});
    }
    if (!full) {
      if (!cell_.divisible() || k > 64) continue;
      for (int64_t j = v % 31; j < hidden; j += std::max<int64_t>(31, hidden / 4)) units.push_back(j);
      if (units.empty()) continue;
    }
    if (states.size() < size_t(k)) states.resize(size_t(k));
    children.clear();
    for (int32_t i = 0; i < k; ++i) {
      states[size_t(i)].resize(size_t(size));
      for (int64_t j = 0; j < size; ++j) states[size_t(i)][size_t(j)] = found(batch.children_of(v)[i], j);
      children.push_back(states[size_t(i)].data());
    }
    cell_.evaluate(batch.word[size_t(v)], children, units, node);
    const auto compare = [&](int64_t j) {
      const Bounded expected = node[size_t(j)];
      // The smallest normal float keeps exact zeros comparable.
      const double ratio = std::fabs(found(v, j) - expected.value) / (expected.error + 1.2e-38);
      fail(verdict, ratio, index, v, j, found(v, j), expected);
      ++verdict.compared;
    };
    if (units.empty()) {
      for (int64_t j = 0; j < size; ++j) compare(j);
    } else {
      for (int64_t j : units) {
        compare(j);
        if (second_ == hidden) compare(hidden + j);
      }
    }
  }
}

// The recursion from the leaves up: float and double drift apart with the depth, but not far, since the cells
// squash their states and the weights are scaled.
void RecursiveReference::check_recursion(size_t index, const float* h, double& budget,
                                         Verdict& verdict) const {
  const Structures& batch = operands_.batches[index];
  const auto size = size_t(cell_.state_size());
  for (int32_t s = 0; s < batch.structure_count(); ++s) {
    double work = 0;
    for (int32_t v = batch.first_node[size_t(s)]; v < batch.first_node[size_t(s) + 1]; ++v) {
      work += cell_.multiply_adds(batch.child_count(v));
    }
    if (work > budget) continue;
    budget -= work;
    const Structures one = select(batch, {s});
    const std::vector<double> states = run(one);
    double largest = 1e-3;
    for (int32_t v = 0; v < one.node_count(); ++v) {
      for (int64_t j = 0; j < problem_.hidden; ++j) {
        largest = std::max(largest, std::fabs(states[size_t(v) * size + size_t(j)]));
      }
    }
    for (int32_t v = 0; v < one.node_count(); ++v) {
      for (int64_t j = 0; j < problem_.hidden; ++j) {
        const int32_t at = batch.first_node[size_t(s)] + v;
        const double expected = states[size_t(v) * size + size_t(j)], found = h[at * problem_.hidden + j];
        const double ratio = std::fabs(found - expected) / (1e-3 * largest);
        fail(verdict, std::isfinite(found) ? ratio : 1e30, index, at, j, found, {expected, 1e-3 * largest});
      }
    }
  }
}

Verdict RecursiveReference::check(const float* result) const {
  Verdict verdict;
  double work = 0, recursion = options_.recursion_multiply_adds;
  for (const Structures& batch : operands_.batches) {
    for (int32_t v = 0; v < batch.node_count(); ++v) work += cell_.multiply_adds(batch.child_count(v));
  }
  const double share = std::min(1.0, options_.full_check_multiply_adds / std::max(work, 1.0));
  for (size_t i = 0; i < operands_.batches.size(); ++i) {
    const int64_t nodes = operands_.batches[i].node_count();
    const float *h = result, *second = result + nodes * problem_.hidden;
    check_steps(i, h, second, share, verdict);
    check_recursion(i, h, recursion, verdict);
    result += nodes * cell_.state_size();
  }
  return verdict;
}

}  // namespace cortex::bench
