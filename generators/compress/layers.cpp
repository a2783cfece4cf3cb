#include "generators/compress/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "graph/compress/npy.h"
#include "support/fnv.h"
#include "support/text_file.h"

namespace cortex {

Result<Layer> read_layer(const std::string& path) {
  const Result<std::string> bytes = read_text_file(path, std::size_t{4} << 30);
  if (!bytes) return bytes.error();
  const Result<NpyArray> array = parse_npy(*bytes, path);
  if (!array) return array.error();
  Result<FilterMatrix> filters = filters_of(*array, path);
  if (!filters) return filters.error();
  return Layer{std::filesystem::path(path).stem().string(), 1, array->shape, std::move(*filters)};
}

Result<Layer> random_layer(const Problem& problem, uint64_t seed) {
  Layer layer;
  layer.name = problem.name.empty() ? to_string(problem) : problem.name;
  layer.count = problem.count;
  if (problem.is_conv()) {
    const ConvProblem& c = problem.conv();
    layer.shape = {c.oc, c.ic / c.g, c.kh, c.kw};
    layer.groups = c.g;
    if (c.kd > 1) layer.shape.insert(layer.shape.begin() + 2, c.kd);
  } else {
    const MatmulProblem& m = problem.matmul();
    if (std::any_of(m.batch_b.begin(), m.batch_b.end(), [](int64_t b) { return b > 1; }))
      return invalid_argument(fmt::format("{}: a batch of matrices is no weights to compress", problem.text));
    layer.shape = {m.n, m.k};
  }
  FilterMatrix& w = layer.weights;
  w.rows = layer.shape[0];
  w.channels = layer.shape[1];
  w.columns = w.channels;
  for (std::size_t i = 2; i < layer.shape.size(); ++i) w.columns *= layer.shape[i];
  std::mt19937_64 random(seed ^ fnv1a(layer.name));
  std::normal_distribution<float> normal;
  w.values.resize(static_cast<std::size_t>(w.rows * w.columns));
  for (float& v : w.values) v = normal(random);
  return layer;
}

}  // namespace cortex
