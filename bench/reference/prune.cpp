#include "bench/reference/prune.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/reference/shapes.h"
#include "graph/compress/combine.h"
#include "graph/compress/prune.h"

namespace cortex::bench {
namespace {

struct View {
  int64_t rows = 0, columns = 0, channels = 0, row_stride = 1, column_stride = 1;
};

View view_of(const Problem& problem) {
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    return {c.oc, c.kd * c.kh * c.kw * c.ic, c.ic, 1, c.oc};
  }
  const MatmulProblem& m = problem.matmul();
  if (m.b_transposed) return {m.n, m.k, m.k, m.k, 1};
  return {m.n, m.k, m.k, 1, m.n};
}

// Greedy grouping compares every two columns; of more than this, so many neighbours at a time.
constexpr int64_t columns_at_once = 1024;

Result<FilterMatrix> combine(const FilterMatrix& weights, int alpha) {
  CombineOptions options;
  options.alpha = alpha;
  options.steps = 0;
  FilterMatrix out = weights;
  for (int64_t from = 0; from < weights.columns; from += columns_at_once) {
    const int64_t count = std::min(columns_at_once, weights.columns - from);
    FilterMatrix part{weights.rows, count, count, {}};
    part.values.resize(static_cast<std::size_t>(part.rows * count));
    for (int64_t r = 0; r < part.rows; ++r)
      for (int64_t c = 0; c < count; ++c) part.at(r, c) = weights.at(r, from + c);
    Result<Combined> combined = combine_columns(part, options);
    if (!combined) return combined.error();
    for (int64_t r = 0; r < part.rows; ++r)
      for (int64_t c = 0; c < count; ++c) out.at(r, from + c) = combined->weights.at(r, c);
  }
  return out;
}

}  // namespace

Status check_prunable(const Problem& problem) {
  const bool whole = problem.is_conv()
                         ? problem.conv().g == 1
                         : std::all_of(problem.matmul().batch_b.begin(), problem.matmul().batch_b.end(),
                                       [](int64_t extent) { return extent == 1; });
  if (whole) return Status::success();
  return invalid_argument(fmt::format("'{}' has {}: prune problems without", to_string(problem),
                                      problem.is_conv() ? "groups" : "a matrix of weights per batch"));
}

Result<double> prune_operands(const Problem& problem, const WeightFormat& format, double sparsity,
                              Operands& operands) {
  if (Status s = check_prunable(problem); !s) return s.error();
  const View v = view_of(problem);
  float* const b = operands.b.as<float>();
  FilterMatrix weights{v.rows, v.columns, v.channels, {}};
  weights.values.resize(static_cast<std::size_t>(v.rows * v.columns));
  for (int64_t r = 0; r < v.rows; ++r)
    for (int64_t c = 0; c < v.columns; ++c) weights.at(r, c) = b[r * v.row_stride + c * v.column_stride];
  const bool combined = format.structure == WeightStructure::combined;
  const WeightFormat first = combined ? WeightFormat{WeightStructure::unstructured} : format;
  Result<FilterMatrix> pruned = prune(weights, first, 1 - sparsity);
  if (pruned && combined) pruned = combine(*pruned, format.alpha);
  if (!pruned) return pruned.error();
  for (int64_t r = 0; r < v.rows; ++r)
    for (int64_t c = 0; c < v.columns; ++c) b[r * v.row_stride + c * v.column_stride] = pruned->at(r, c);
  return 1 - cortex::sparsity(*pruned);
}

}  // namespace cortex::bench
