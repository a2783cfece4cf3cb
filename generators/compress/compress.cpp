#include "generators/compress/compress.h"

#include <fmt/format.h>

#include <cmath>

#include "graph/compress/prune.h"

namespace cortex {
namespace {

void quantize(CompressedLayer& c, Calibration calibration) {
  c.quantized = quantize_weights(c.weights, calibration);
  double lost = 0, all = 0;
  for (int64_t r = 0; r < c.weights.rows; ++r) {
    for (int64_t i = 0; i < c.weights.columns; ++i) {
      const double v = c.weights.at(r, i);
      const int8_t q = c.quantized->integers[static_cast<std::size_t>(r * c.weights.columns + i)];
      const double error = v - static_cast<double>(c.quantized->scales[static_cast<std::size_t>(r)]) * q;
      lost += error * error;
      all += v * v;
    }
  }
  c.quantization_error = all > 0 ? std::sqrt(lost / all) : 0;
}

}  // namespace

bool needs_sparsity(const WeightFormat& format) {
  return format.structure == WeightStructure::blocks || format.structure == WeightStructure::unstructured;
}

Status check_sparsity(const WeightFormat& format, const CompressOptions& options) {
  if (options.sparsity > 0 || !needs_sparsity(format)) return Status::success();
  return invalid_argument(
      fmt::format("format {} needs --sparsity: the share of weights to drop", to_string(format)));
}

Result<CompressedLayer> compress(const Layer& layer, const WeightFormat& format,
                                 const CompressOptions& options) {
  CompressedLayer c;
  c.format = format;
  const bool combined = format.structure == WeightStructure::combined;
  const bool open = needs_sparsity(format);
  if (Status s = check_sparsity(format, options); !s) return s.error();
  FilterMatrix sparse = layer.weights;
  if (!combined || options.sparsity > 0) {
    const WeightFormat first = combined ? WeightFormat{WeightStructure::unstructured} : format;
    Result<FilterMatrix> pruned = prune(layer.weights, first, open || combined ? 1 - options.sparsity : 1);
    if (!pruned) return pruned.error();
    sparse = std::move(*pruned);
  }
  if (combined) {
    CombineOptions combine = options.combine;
    combine.alpha = format.alpha;
    Result<Combined> result = combine_columns(sparse, combine);
    if (!result) return result.error();
    c.groups = std::move(result->groups);
    c.work = static_cast<double>(c.groups.size()) / static_cast<double>(layer.weights.columns);
    sparse = std::move(result->weights);
  } else {
    c.work = open ? 1 - sparsity(sparse) : format.density();
  }
  c.weights = std::move(sparse);
  const double before = magnitude(layer.weights);
  c.kept = before > 0 ? magnitude(c.weights) / before : 1;
  if (options.calibration) quantize(c, *options.calibration);
  return c;
}

}  // namespace cortex
