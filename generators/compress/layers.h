// Layers to compress: weights by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/compress/matrix.h"
#include "graph/problem/problem.h"
#include "support/result.h"

namespace cortex {

struct Layer {
  std::string name;  // file name without .npy, or the problem's
  int64_t count = 1;
  std::vector<int64_t> shape;  // of the array
  FilterMatrix weights;
  int64_t groups = 1;  // a .npy file does not say
};

// A .npy file (see graph/compress/npy.h for what may be in it).
Result<Layer> read_layer(const std::string& path);

// Normal random weights of the layer's shape, [oc][ic/g][kh][kw] or [n][k]; each layer its own for one seed.
// Refuses batched matmuls: their B is no weights.
Result<Layer> random_layer(const Problem& problem, uint64_t seed);

}  // namespace cortex
