#include "polyopt/ranker/ranker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "polyopt/machine/describe.h"
#include "support/fnv.h"

namespace cortex {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* format_name = "cortex-ranker-1";

std::string checksum(const Json& trees) { return fmt::format("{:016x}", fnv1a(trees.dump())); }

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
  const Json json = {{"format", format_name},
                     {"version", CORTEX_VERSION},
                     {"cpu", cpu_},
                     {"features", ranker_feature_names()},
                     {"checksum", checksum(trees)},
                     {"trees", trees}};
  return json.dump() + "\n";
}

Status Ranker::parse(const std::string& text, const std::string& source) {
  const auto refuse = [&](const std::string& why) {
    return invalid_argument(fmt::format(
        "ranker {}: {}; train one here with cortex-bench rank --replay CSV --learn FILE", source, why));
  };
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return refuse("it is damaged: not valid JSON");
  const auto word = [&](const char* name) {
    const bool there = json.is_object() && json.contains(name) && json[name].is_string();
    return there ? json[name].get<std::string>() : std::string();
  };
  if (word("format") != format_name) return refuse(fmt::format("it is no {} file", format_name));
  if (word("version") != CORTEX_VERSION)
    return refuse(fmt::format("it is of version {}, this is {}", word("version"), CORTEX_VERSION));
  if (word("cpu") != cpu_)
    return refuse(fmt::format("it was trained on another CPU ({}), this is {}", word("cpu"), cpu_));
  if (!json.contains("features") || json["features"] != Json(ranker_feature_names()))
    return refuse("it was trained on other features");
  if (!json.contains("trees") || !json["trees"].is_array() || word("checksum") != checksum(json["trees"]))
    return refuse("it is damaged: its checksum does not match");
  Forest read;
  try {
    for (const Json& tree : json["trees"]) read.trees.push_back(tree_of(tree));
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
