// One layer in one format.
#pragma once

#include <optional>

#include "generators/compress/layers.h"
#include "graph/compress/combine.h"
#include "graph/compress/format.h"
#include "graph/compress/quantize.h"
#include "support/result.h"

namespace cortex {

struct CompressOptions {
  double sparsity = 0;  // share of zeros, for formats that do not say it; 0: not given
  CombineOptions combine;
  std::optional<Calibration> calibration;  // of 8-bit integers; none: weights stay real
};

struct CompressedLayer {
  WeightFormat format;
  FilterMatrix weights;
  double kept = 1;      // of the layer's magnitude
  double work = 1;      // multiplications over dense ones
  ColumnGroups groups;  // column combining
  std::optional<Quantized> quantized;
  double quantization_error = 0;  // root mean square of what rounding loses, over that of the weights
};

// The format leaves the share of zeros open: --sparsity says it.
bool needs_sparsity(const WeightFormat& format);
// Refuses formats that need a sparsity where none is given.
Status check_sparsity(const WeightFormat& format, const CompressOptions& options);

// Column combining prunes to `sparsity` first where that is given. Refuses formats that need a sparsity
// without.
Result<CompressedLayer> compress(const Layer& layer, const WeightFormat& format,
                                 const CompressOptions& options);

}  // namespace cortex
