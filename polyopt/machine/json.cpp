#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "polyopt/machine/defaults.h"

namespace cortex {
namespace {

using Json = nlohmann::ordered_json;

// Reads members of one object; remembers the first refusal and ignores everything after it.
class Reader {
 public:
  Reader(const Json& object, std::string where, Status& status)
      : object_(object), where_(std::move(where)), status_(status) {}

  const Json* member(const char* key) {
    if (!status_) return nullptr;
    const auto found = object_.find(key);
    if (found == object_.end()) {
      refuse(key, "is missing");
      return nullptr;
    }
    return &*found;
  }

  template <typename T>
  void text(const char* key, T& out) {
    const Json* value = member(key);
    if (!value) return;
    if (!value->is_string()) return refuse(key, fmt::format("is {}, not a string", value->dump()));
    out = value->get<std::string>();
  }

  void integer(const char* key, auto& out, int64_t low, int64_t high) {
    const Json* value = member(key);
    if (!value) return;
    const bool whole = value->is_number_integer() &&
                       !(value->is_number_unsigned() && value->get<uint64_t>() > uint64_t{1} << 62);
    const int64_t found = whole ? value->get<int64_t>() : 0;
    if (!whole || found < low || found > high) {
      return refuse(key, fmt::format("is {}, not a whole number from {} to {}", value->dump(), low, high));
    }
    out = static_cast<std::decay_t<decltype(out)>>(found);
  }

  void rate(const char* key, double& out, double high) {
    const Json* value = member(key);
    if (!value) return;
    if (!value->is_number() || !(value->get<double>() > 0) || value->get<double>() > high) {
      return refuse(key, fmt::format("is {}, not a number above 0 and at most {}", value->dump(), high));
    }
    out = value->get<double>();
  }

  // Left out: `out` keeps its default.
  void optional_rate(const char* key, double& out, double low, double high) {
    const auto found = object_.find(key);
    if (!status_ || found == object_.end()) return;
    if (!found->is_number() || found->get<double>() < low || found->get<double>() > high) {
      return refuse(key, fmt::format("is {}, not a number from {} to {}", found->dump(), low, high));
    }
    out = found->get<double>();
  }

  void refuse(const char* key, const std::string& what) {
    if (status_) status_ = invalid_argument(fmt::format("{}: \"{}\" {}", where_, key, what));
  }

 private:
  const Json& object_;
  std::string where_;
  Status& status_;
};

void read_cache(const Json& json, const std::string& where, CacheLevel& cache, Status& status) {
  if (!json.is_object()) {
    if (status) status = invalid_argument(fmt::format("{}: is {}, not an object", where, json.dump()));
    return;
  }
  Reader in(json, where, status);
  in.text("name", cache.name);
  in.integer("bytes", cache.bytes, 1024, int64_t{1} << 40);
  in.integer("line", cache.line, 16, 1024);
  in.integer("associativity", cache.associativity, 1, 1 << 16);
  in.integer("shared_by", cache.shared_by, 1, 1 << 16);
  in.rate("read_bytes_per_cycle", cache.read_bytes_per_cycle, 4096);
  in.rate("write_bytes_per_cycle", cache.write_bytes_per_cycle, 4096);
  in.rate("latency_cycles", cache.latency_cycles, 1e5);
}

void read_costs(const Json& json, const std::string& where, Costs& costs, Status& status) {
  if (!json.is_object()) {
    if (status) status = invalid_argument(fmt::format("{}: is {}, not an object", where, json.dump()));
    return;
  }
  Reader in(json, where, status);
  for (const CostField& field : cost_fields) in.optional_rate(field.name, costs.*field.value, 0, 1e9);
  for (const auto& [name, value] : json.items()) {
    const bool known = std::any_of(cost_fields.begin(), cost_fields.end(),
                                   [&, &key = name](const CostField& f) { return key == f.name; });
    if (!known) in.refuse(name.c_str(), "is no constant of the cost model");
  }
}

}  // namespace

Result<Machine> parse_machine(std::string_view text, std::string_view source) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded())
    return invalid_argument(fmt::format(
        "{}: no machine description, not valid JSON; `cortex-bench machine --json FILE` writes one", source));
  if (!json.is_object())
    return invalid_argument(fmt::format(
        "{}: no machine description, not a JSON object; `cortex-bench machine --json FILE` writes one",
        source));

  Machine machine;
  Status status;
  Reader in(json, std::string(source), status);
  std::string isa;
  in.text("name", machine.name);
  in.text("isa", isa);
  if (status) {
    const std::optional<Isa> parsed = parse_isa(isa);
    if (parsed)
      machine.isa = *parsed;
    else
      in.refuse("isa", fmt::format("is \"{}\", not one of {}", isa, isa_names()));
  }
  in.integer("cores", machine.cores, 1, 1 << 16);
  in.rate("ghz", machine.ghz, 100);
  in.rate("fma_per_cycle", machine.fma_per_cycle, 64);
  machine.bf16_dots_per_cycle = default_bf16_dots(machine.isa, machine.fma_per_cycle);
  in.optional_rate("bf16_dots_per_cycle", machine.bf16_dots_per_cycle, 0, 64);
  in.rate("loads_per_cycle", machine.loads_per_cycle, 64);
  in.integer("vector_lanes", machine.vector_lanes, 1, 1024);
  in.integer("fma_latency", machine.fma_latency, 1, 100);
  in.integer("page_bytes", machine.page_bytes, 512, int64_t{1} << 32);
  in.integer("tlb_entries", machine.tlb_entries, 1, 1 << 24);
  in.rate("memory_read_bytes_per_cycle", machine.memory_read_bytes_per_cycle, 4096);
  in.rate("memory_write_bytes_per_cycle", machine.memory_write_bytes_per_cycle, 4096);
  in.rate("memory_bytes_per_cycle_all", machine.memory_bytes_per_cycle_all, 65536);
  in.optional_rate("memory_latency_cycles", machine.memory_latency_cycles, 1, 1e6);
  if (const auto costs = json.find("costs"); status && costs != json.end())
    read_costs(*costs, fmt::format("{}: costs", source), machine.costs, status);
  const Json* caches = in.member("caches");
  if (!status) return status.error();
  if (!caches->is_array() || caches->empty() || caches->size() > 6) {
    in.refuse("caches", "is not an array of 1 to 6 levels, L1 first");
    return status.error();
  }
  for (std::size_t i = 0; i < caches->size(); ++i) {
    CacheLevel cache;
    read_cache((*caches)[i], fmt::format("{}: caches[{}]", source, i), cache, status);
    if (!status) return status.error();
    if (i > 0 && cache.bytes <= machine.caches.back().bytes) {
      return invalid_argument(
          fmt::format("{}: caches[{}]: \"bytes\" is {}, not above the {} of the level before", source, i,
                      cache.bytes, machine.caches.back().bytes));
    }
    machine.caches.push_back(cache);
  }
  return machine;
}

std::string to_json(const Machine& machine) {
  Json caches = Json::array();
  for (const CacheLevel& cache : machine.caches) {
    caches.push_back({{"name", cache.name},
                      {"bytes", cache.bytes},
                      {"line", cache.line},
                      {"associativity", cache.associativity},
                      {"shared_by", cache.shared_by},
                      {"read_bytes_per_cycle", cache.read_bytes_per_cycle},
                      {"write_bytes_per_cycle", cache.write_bytes_per_cycle},
                      {"latency_cycles", cache.latency_cycles}});
  }
  Json costs = Json::object();
  for (const CostField& field : cost_fields) costs[field.name] = machine.costs.*field.value;
  const Json json = {{"name", machine.name},
                     {"isa", isa_name(machine.isa)},
                     {"cores", machine.cores},
                     {"ghz", machine.ghz},
                     {"fma_per_cycle", machine.fma_per_cycle},
                     {"bf16_dots_per_cycle", machine.bf16_dots_per_cycle},
                     {"loads_per_cycle", machine.loads_per_cycle},
                     {"vector_lanes", machine.vector_lanes},
                     {"fma_latency", machine.fma_latency},
                     {"page_bytes", machine.page_bytes},
                     {"tlb_entries", machine.tlb_entries},
                     {"caches", caches},
                     {"memory_read_bytes_per_cycle", machine.memory_read_bytes_per_cycle},
                     {"memory_write_bytes_per_cycle", machine.memory_write_bytes_per_cycle},
                     {"memory_bytes_per_cycle_all", machine.memory_bytes_per_cycle_all},
                     {"memory_latency_cycles", machine.memory_latency_cycles},
                     {"costs", costs}};
  return json.dump(2) + "\n";
}

}  // namespace cortex
