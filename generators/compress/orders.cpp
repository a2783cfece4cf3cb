#include "generators/compress/orders.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/problem/text.h"

namespace cortex {
namespace {

int64_t find(const std::vector<Layer>& layers, const std::string& name) {
  const auto at = std::find_if(layers.begin(), layers.end(), [&](const Layer& l) { return l.name == name; });
  return at == layers.end() ? -1 : at - layers.begin();
}

// Names may hold colons: the one colon counts that has layers on both sides.
Result<Reads> parse_follows(const std::vector<Layer>& layers, const std::string& text) {
  std::vector<Reads> found;
  for (std::size_t colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1)) {
    const Reads r{find(layers, text.substr(0, colon)), find(layers, text.substr(colon + 1))};
    if (r.reader >= 0 && r.producer >= 0) found.push_back(r);
  }
  if (found.size() == 1) return found[0];
  if (!found.empty())
    return invalid_argument(
        fmt::format("--follows {}: may be read in {} ways: rename the layers", quoted(text), found.size()));
  return invalid_argument(
      fmt::format("--follows {}: expected READER:PRODUCER, the names of two layers", quoted(text)));
}

}  // namespace

Result<std::vector<SharedOrder>> read_orders(const std::vector<Layer>& layers, bool chain,
                                             const std::vector<std::string>& follows) {
  std::vector<Reads> reads;
  if (chain && layers.size() < 2) return invalid_argument("--chain: one layer has no other to follow");
  for (int64_t i = 1; chain && i < static_cast<int64_t>(layers.size()); ++i) reads.push_back({i, i - 1});
  for (const std::string& text : follows) {
    const Result<Reads> r = parse_follows(layers, text);
    if (!r) return r.error();
    reads.push_back(*r);
  }
  for (const Reads& r : reads) {
    for (const int64_t l : {r.reader, r.producer}) {
      const Layer& layer = layers[static_cast<std::size_t>(l)];
      if (layer.groups > 1)
        return invalid_argument(fmt::format(
            "layer {} has {} groups: output channels of groups stay where they are; leave it out of "
            "--follows",
            layer.name, layer.groups));
      if (layer.count > 1)
        return invalid_argument(
            fmt::format("layer {} stands for {} layers (*{}): give each its own line, to say who reads it",
                        layer.name, layer.count, layer.count));
    }
  }
  std::vector<std::string> names;
  std::vector<const FilterMatrix*> weights;
  for (const Layer& layer : layers) {
    names.push_back(layer.name);
    weights.push_back(&layer.weights);
  }
  return shared_orders(names, weights, reads);
}

}  // namespace cortex
