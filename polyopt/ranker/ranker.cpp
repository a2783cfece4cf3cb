#include "polyopt/ranker/ranker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "polyopt/machine/describe.h"
#include "polyopt/machine/measured_file.h"

namespace cortex {
namespace {

using Json = nlohmann::ordered_json;

constexpr MeasuredFile ranker_file = {"cortex-ranker-1", "trees", "trained"};

Json to_json(const Tree& tree) {
  Json thresholds = Json::array();  // JSON has no infinity: null is a node without a split
  for (const float t : tree.threshold) thresholds.push_back(std::isfinite(t) ? Json(t) : Json());
  return {{"feature", tree.feature}, {"threshold", thresholds}, {"value", tree.value}};
}

Tree tree_of(const Json& json) {
  Tree tree;
  json.at("feature").get_to(tree.feature);
  json.at("value").get_to(tree.value);
  const Json& thresholds = json.at("threshold");
  for (std::size_t n = 0; n < tree.threshold.size(); ++n)
    tree.threshold[n] =
        thresholds.at(n).is_null() ? std::numeric_limits<float>::infinity() : thresholds.at(n).get<float>();
  return tree;
}

bool usable(const Tree& tree) {
  const auto in_range = [](int f) { return f >= 0 && f < ranker_features; };
  const auto finite = [](float v) { return std::isfinite(v); };
  return std::all_of(tree.feature.begin(), tree.feature.end(), in_range) &&
         std::all_of(tree.value.begin(), tree.value.end(), finite);
}

}  // namespace

Ranker::Ranker(const Machine& machine) : cpu_(describe(machine)) {}

std::string Ranker::text() const {
  Json trees = Json::array();
  for (const Tree& tree : forest.trees) trees.push_back(to_json(tree));
  Json json = measured_document(ranker_file, cpu_, std::move(trees));
  json["features"] = ranker_feature_names();
  return json.dump() + "\n";
}

Status Ranker::parse(const std::string& text, const std::string& source) {
  const auto refuse = [&](const std::string& why) {
    return invalid_argument(fmt::format(
        "ranker {}: {}; train one here with cortex-bench rank --replay CSV --learn FILE", source, why));
  };
  const Result<Json> json = parse_measured(ranker_file, cpu_, text);
  if (!json) return refuse(json.error().message);
  if (!json->contains("features") || json->at("features") != Json(ranker_feature_names()))
    return refuse("it was trained on other features");
  if (!json->at("trees").is_array()) return refuse("it is damaged: its trees are no list");
  Forest read;
  try {
    for (const Json& tree : json->at("trees")) read.trees.push_back(tree_of(tree));
  } catch (const Json::exception& e) {
    return refuse(fmt::format("it is damaged: {}", e.what()));
  }
  if (!std::all_of(read.trees.begin(), read.trees.end(), usable)) return refuse("a tree of it is impossible");
  forest = std::move(read);
  return Status::success();
}

double Ranker::correction(const Schedule& schedule, const Prediction& prediction) const {
  return std::exp(forest.predict(ranker_features_of(schedule, prediction)));
}

void Ranker::reorder(std::vector<Candidate>& best) const {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < best.size(); ++i)
    order.emplace_back(best[i].prediction.cycles * correction(best[i].schedule, best[i].prediction), i);
  std::sort(order.begin(), order.end());
  std::vector<Candidate> sorted;
  for (const auto& [cycles, i] : order) sorted.push_back(std::move(best[i]));
  best = std::move(sorted);
}

Result<Candidate> best_schedule(const Nest& nest, const Machine& machine, SearchOptions options,
                                const Ranker* ranker) {
  options.keep = ranker ? ranker_keeps : 1;
  Result<SearchResult> found = search(nest, machine, options);
  if (!found) return found.error();
  if (found->best.empty()) return internal_error("the search returned no schedule");
  if (ranker) ranker->reorder(found->best);
  return std::move(found->best.front());
}

}  // namespace cortex
