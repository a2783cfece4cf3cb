// Which kernels weights could run on, and how fast each is predicted to be. Asks libcortex_kernels.
#pragma once

#include <string>
#include <vector>

#include "generators/compress/layers.h"
#include "support/result.h"

namespace cortex {

struct KernelForecast {
  // "dense", "bitmap", "1 row", "2 rows", "4 rows", "4 rows by pattern": output channels that share a list
  std::string lists;
  std::string kernel;
  double seconds = 0;
};

// For the problem (text) with the layer's weights, one thread, this CPU, native layouts; fastest first.
// Refuses weights of another shape and what has no kernels for zeros.
Result<std::vector<KernelForecast>> forecast_kernels(const std::string& problem, const Layer& layer);

}  // namespace cortex
