#include "generators/compress/times.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace cortex {

Result<LayerTimes> parse_times(const std::string& text, const std::string& source, int threads) {
  LayerTimes times;
  try {
    const auto document = nlohmann::json::parse(text);
    for (const auto& row : document.at("results")) {
      const std::string backend = row.at("backend");
      if (backend.rfind("cortex", 0) != 0 || row.at("threads").get<int>() != threads) continue;
      const std::string name = row.value("name", "");
      const double seconds = row.at("time_ns").at("median").get<double>() * 1e-9;
      // cortex-dense takes weights with zeros for dense ones: its time is that of dense weights.
      const std::string weights = backend == "cortex-dense" ? "dense" : row.at("weights").get<std::string>();
      const std::pair key(name.empty() ? row.at("problem").get<std::string>() : name, weights);
      if (!(seconds > 0)) return invalid_argument(fmt::format("{}: a time of {} ns", source, seconds * 1e9));
      const auto [at, fresh] = times.try_emplace(key, seconds);
      if (!fresh && seconds < at->second) at->second = seconds;
    }
  } catch (const nlohmann::json::exception& e) {
    return invalid_argument(
        fmt::format("{}: not a result file of cortex-bench run --json ({})", source, e.what()));
  }
  if (times.empty())
    return invalid_argument(fmt::format("{}: it has no result of cortex with {} threads", source, threads));
  return times;
}

}  // namespace cortex
