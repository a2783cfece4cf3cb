#include "bench/run/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "bench/measure/cores.h"
#include "bench/measure/memory.h"
#include "bench/run/environment.h"
#include "support/cpu.h"

namespace cortex::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string first_line(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

Json caches() {
  Json all = Json::object();
  for (int i = 0; i < 8; ++i) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", i);
    const std::string level = first_line(folder + "level"), type = first_line(folder + "type");
    if (level.empty() || type == "Instruction") continue;
    all[fmt::format("L{}{}", level, type == "Data" ? "d" : "")] = first_line(folder + "size");
  }
  return all;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

}  // namespace

Json run_context(const RunOptions& options, const std::vector<std::string>& command_line) {
  double load[3] = {0, 0, 0};
  getloadavg(load, 3);
  Json isas = Json::array();
  for (Isa isa : options.isas) isas.push_back(isa_name(isa));
  return {{"tool", "cortex-bench " CORTEX_BENCH_VERSION},
          {"git", CORTEX_BENCH_GIT},
          {"date", utc_now()},
          {"command", command_line},
          {"cpu", cpu_brand()},
          {"cores", std::thread::hardware_concurrency()},
          {"caches", caches()},
          {"governor", first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")},
          {"huge_pages", first_line("/sys/kernel/mm/transparent_hugepage/enabled")},
          {"load_average", {load[0], load[1], load[2]}},
          {"compiler", CORTEX_BENCH_COMPILER},
          {"flags", CORTEX_BENCH_FLAGS},
          {"build_type", CORTEX_BENCH_BUILD_TYPE},
          {"isas", isas},
          {"threads", options.threads},
          {"backends", options.backends},
          {"cold", cold_name(options.cold)},
          {"weights_handling", options.plain ? "plain" : "prepacked"},
          {"verify", options.verify},
          {"seed", options.seed},
          {"min_time", options.min_time},
          {"repeats", options.repeats},
          {"mode", search_mode_name(options.mode)},
          {"wisdom", options.wisdom}};
}

Json worker_context(Isa isa, int threads, double gflops_per_core) {
  constexpr std::size_t large = std::size_t{128} << 20;
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int all = std::min(threads, cores);
  Json bandwidth = {{"threads_1", read_bandwidth(isa, large, 1, 0.05) * 1e-9}};
  if (all > 1) bandwidth[fmt::format("threads_{}", all)] = read_bandwidth(isa, large / 2, all, 0.05) * 1e-9;
  Json environment = Json::object();
  for (const auto& [name, value] : worker_variables(isa, threads)) environment[name] = value;
  return {{"peak_gflops_per_core", gflops_per_core},
          {"cores_had", cores_had(all, 0.1)},
          {"memory_read_gbytes_per_second", bandwidth},
          {"environment", environment}};
}

}  // namespace cortex::bench
