#include "graph/compress/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "graph/compress/prune.h"

namespace cortex {
namespace {

std::size_t u(int64_t i) { return static_cast<std::size_t>(i); }

Status check_fit(const std::vector<std::string>& names, const std::vector<const FilterMatrix*>& weights,
                 const Reads& r) {
  const std::string &reader = names[u(r.reader)], &producer = names[u(r.producer)];
  if (r.reader == r.producer) return invalid_argument(fmt::format("layer {} reads itself", reader));
  const int64_t in = weights[u(r.reader)]->channels, out = weights[u(r.producer)]->rows;
  if (in == out) return Status::success();
  return invalid_argument(
      fmt::format("layer {} has {} input channels, but layer {}, which it reads, has {} output channels "
                  "(convolutions of groups, flattened and concatenated inputs cannot be reordered)",
                  reader, in, producer, out));
}

// A layer on a cycle of reads, or -1.
int64_t find_cycle(std::size_t layers, const std::vector<Reads>& reads) {
  std::vector<int> state(layers, 0);  // 1: being followed, 2: done
  const std::function<int64_t(int64_t)> follow = [&](int64_t layer) -> int64_t {
    state[u(layer)] = 1;
    for (const Reads& r : reads) {
      if (r.reader != layer || state[u(r.producer)] == 2) continue;
      if (state[u(r.producer)] == 1) return layer;
      if (const int64_t found = follow(r.producer); found >= 0) return found;
    }
    state[u(layer)] = 2;
    return -1;
  };
  for (std::size_t l = 0; l < layers; ++l) {
    if (state[l] != 0) continue;
    if (const int64_t found = follow(static_cast<int64_t>(l)); found >= 0) return found;
  }
  return -1;
}

Result<double> kept_magnitude(const FilterMatrix& w, const WeightFormat& format, double keep) {
  const Result<FilterMatrix> pruned = prune(w, format, keep);
  if (!pruned) return pruned.error();
  return magnitude(*pruned);
}

}  // namespace

Result<std::vector<SharedOrder>> shared_orders(const std::vector<std::string>& names,
                                               const std::vector<const FilterMatrix*>& weights,
                                               const std::vector<Reads>& reads) {
  std::vector<int64_t> set(weights.size());  // by its first layer
  std::iota(set.begin(), set.end(), 0);
  const auto set_of = [&](int64_t layer) {
    while (set[u(layer)] != layer) layer = set[u(layer)];
    return layer;
  };
  for (std::size_t i = 0; i < reads.size(); ++i) {
    const Reads& r = reads[i];
    if (Status s = check_fit(names, weights, r); !s) return s.error();
    if (std::find(reads.begin(), reads.begin() + static_cast<std::ptrdiff_t>(i), r) !=
        reads.begin() + static_cast<std::ptrdiff_t>(i))
      return invalid_argument(
          fmt::format("layer {} reads layer {}: said twice", names[u(r.reader)], names[u(r.producer)]));
    for (const Reads& other : reads) {
      if (other.reader != r.reader) continue;
      const int64_t x = set_of(other.producer), y = set_of(r.producer);
      set[u(std::max(x, y))] = std::min(x, y);
    }
  }
  if (const int64_t layer = find_cycle(weights.size(), reads); layer >= 0)
    return invalid_argument(
        fmt::format("layer {} reads its own output, through others: no order of layers", names[u(layer)]));
  std::vector<SharedOrder> sets;
  for (int64_t first = 0; first < static_cast<int64_t>(weights.size()); ++first) {
    std::set<int64_t> producers, readers;
    for (const Reads& r : reads) {
      if (set_of(r.producer) != first) continue;
      producers.insert(r.producer);
      readers.insert(r.reader);
    }
    if (producers.empty()) continue;
    sets.push_back({{producers.begin(), producers.end()}, {readers.begin(), readers.end()}});
  }
  return sets;
}

Result<std::vector<LayerOrder>> order_layers(const std::vector<const FilterMatrix*>& weights,
                                             const std::vector<SharedOrder>& sets, const WeightFormat& format,
                                             double keep, const OrderOptions& options) {
  std::vector<LayerOrder> layers;
  std::vector<double> kept;  // magnitude
  for (const FilterMatrix* w : weights) {
    const Result<double> before = kept_magnitude(*w, format, keep);
    if (!before) return before.error();
    kept.push_back(*before);
    const double all = magnitude(*w);
    layers.push_back({identity_order(w->rows), identity_order(w->channels), *w, all > 0 ? *before / all : 1});
  }
  for (const SharedOrder& set : sets) {
    std::vector<const FilterMatrix*> producers;
    for (const int64_t l : set.producers) producers.push_back(&layers[u(l)].weights);
    const Result<Order> order = order_rows(producers, format, keep, options);
    if (!order) return order.error();
    if (*order == identity_order(producers[0]->rows)) continue;
    std::set<int64_t> touched(set.producers.begin(), set.producers.end());
    touched.insert(set.readers.begin(), set.readers.end());
    std::vector<LayerOrder> tried;
    std::vector<double> tried_kept;
    double gain = 0;
    for (const int64_t l : touched) {
      LayerOrder layer = layers[u(l)];
      if (std::count(set.producers.begin(), set.producers.end(), l)) {
        layer.weights = reorder_rows(layer.weights, *order);
        layer.rows = compose(layer.rows, *order);
      }
      if (std::count(set.readers.begin(), set.readers.end(), l)) {
        layer.weights = reorder_channels(layer.weights, *order);
        layer.channels = compose(layer.channels, *order);
      }
      const Result<double> after = kept_magnitude(layer.weights, format, keep);
      if (!after) return after.error();
      gain += *after - kept[u(l)];
      tried.push_back(std::move(layer));
      tried_kept.push_back(*after);
    }
    if (gain <= 0) continue;
    std::size_t i = 0;
    for (const int64_t l : touched) {
      layers[u(l)] = std::move(tried[i]);
      kept[u(l)] = tried_kept[i++];
    }
  }
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const double all = magnitude(layers[l].weights);
    layers[l].kept = all > 0 ? kept[l] / all : 1;
  }
  return layers;
}

}  // namespace cortex
