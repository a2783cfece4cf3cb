#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "polyopt/machine/defaults.h"
#include "polyopt/machine/machine.h"

namespace cortex {
namespace {

std::string read_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

int64_t to_number(const std::string& text) {
  int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > (int64_t{1} << 50)) break;
    value = 10 * value + (c - '0');
  }
  return value;
}

// "48K", "32M"
int64_t to_bytes(const std::string& text) {
  if (text.empty()) return 0;
  const char unit = text.back();
  return to_number(text) * (unit == 'K' ? 1024 : unit == 'M' ? 1024 * 1024 : unit == 'G' ? 1 << 30 : 1);
}

// CPUs in a list such as "0-3,8-11".
int count_cpus(const std::string& list) {
  int count = 0;
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    const std::string part = list.substr(at, end - at);
    const std::size_t dash = part.find('-');
    count += dash == std::string::npos
                 ? 1
                 : static_cast<int>(to_number(part.substr(dash + 1)) - to_number(part.substr(0, dash)) + 1);
    at = end + 1;
  }
  return std::max(count, 1);
}

std::vector<CacheLevel> read_caches(int threads_per_core) {
  std::vector<CacheLevel> caches;
  for (int index = 0; index < 8; ++index) {
    const std::string dir = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", index);
    const std::string type = read_word(dir + "type");
    if (type.empty()) break;
    if (type == "Instruction") continue;
    CacheLevel cache;
    cache.name = fmt::format("L{}", read_word(dir + "level"));
    cache.bytes = to_bytes(read_word(dir + "size"));
    cache.line = std::max<int64_t>(to_number(read_word(dir + "coherency_line_size")), 16);
    cache.associativity = std::max(static_cast<int>(to_number(read_word(dir + "ways_of_associativity"))), 1);
    cache.shared_by = std::max(count_cpus(read_word(dir + "shared_cpu_list")) / threads_per_core, 1);
    if (cache.bytes > 0) caches.push_back(cache);
  }
  std::sort(caches.begin(), caches.end(), [](const auto& x, const auto& y) { return x.name < y.name; });
  return caches;
}

// Where sysfs shows no caches (some containers).
std::vector<CacheLevel> assumed_caches() {
  std::vector<CacheLevel> caches(3);
  const int64_t bytes[] = {32 << 10, 512 << 10, 8 << 20};
  for (std::size_t i = 0; i < caches.size(); ++i) {
    caches[i].name = fmt::format("L{}", i + 1);
    caches[i].bytes = bytes[i];
  }
  caches[2].shared_by = 4;
  return caches;
}

double read_ghz() {
  const int64_t khz = to_number(read_word("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"));
  if (khz > 0) return static_cast<double>(khz) * 1e-6;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("cpu MHz", 0) != 0) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) break;
    const int64_t mhz = to_number(line.substr(line.find_first_not_of(' ', colon + 1)));
    // Whole hundreds: the figure wanders with the governor, the machine description must not.
    if (mhz >= 500) return static_cast<double>((mhz + 50) / 100) / 10;
  }
  return 3.0;
}

}  // namespace

Machine host_machine(Isa isa) { return target_machine(capped_isa(isa)); }

Machine target_machine(Isa isa) {
  Machine machine;
  machine.name = cpu_brand();
  machine.isa = isa;
  const int threads_per_core =
      count_cpus(read_word("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"));
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  machine.cores = std::max(static_cast<int>(online) / threads_per_core, 1);
  machine.ghz = read_ghz();
  machine.page_bytes = std::max<int64_t>(sysconf(_SC_PAGESIZE), 4096);
  machine.caches = read_caches(threads_per_core);
  if (machine.caches.empty()) machine.caches = assumed_caches();
  // Tile registers are Intel's servers'.
  apply_defaults(machine, isa == Isa::amx && !cpu_has(isa) ? CpuFamily{.intel_server = true} : host_family());
  return machine;
}

}  // namespace cortex
