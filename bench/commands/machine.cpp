#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/commands/commands.h"
#include "bench/measure/clock.h"
#include "bench/measure/memory.h"
#include "bench/measure/peak.h"
#include "bench/report/file.h"
#include "bench/run/options.h"
#include "polyopt/machine/machine.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

struct Arguments {
  std::string json, isa;
  double seconds = 20;
};

double rounded(double value) { return std::round(value * 100) / 100; }

struct LevelSize {
  std::string name;
  std::size_t bytes;  // of an array that lives in this level and no higher one
};

// Arrays well inside one level and well outside the one above it.
std::vector<LevelSize> level_sizes(const Machine& machine, int threads) {
  std::vector<LevelSize> sizes;
  std::size_t above = 0;
  for (const CacheLevel& cache : machine.caches) {
    const auto bytes =
        static_cast<std::size_t>(cache.bytes / std::max(1, std::min(cache.shared_by, threads)));
    sizes.push_back({cache.name, std::max(bytes / 2, std::min(bytes * 3 / 4, above * 2))});
    above = static_cast<std::size_t>(cache.bytes);
  }
  sizes.push_back({"memory", std::clamp(above * 4, std::size_t{64} << 20, std::size_t{512} << 20)});
  return sizes;
}

// Fills in what can be measured; sizes stay what CPUID and sysfs say.
void measure(Machine& machine, double seconds) {
  const CorePeak peak = measure_core_peak(machine.isa, seconds * 0.05);
  machine.ghz = rounded(peak.ghz);
  machine.fma_per_cycle = rounded(peak.fma_per_cycle);
  machine.fma_latency = std::max(1, static_cast<int>(std::lround(peak.fma_latency)));
  machine.vector_lanes = peak.lanes;
  const double share = seconds * 0.9 / (4.0 * static_cast<double>(machine.caches.size() + 1));
  const auto per_cycle = [&](double bytes_per_second) { return rounded(bytes_per_second * 1e-9 / peak.ghz); };
  const std::vector<LevelSize> sizes = level_sizes(machine, 1);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const double read = per_cycle(read_bandwidth(machine.isa, sizes[i].bytes, 1, share));
    const double write = per_cycle(write_bandwidth(machine.isa, sizes[i].bytes, 1, share));
    if (i < machine.caches.size()) {
      machine.caches[i].read_bytes_per_cycle = read;
      machine.caches[i].write_bytes_per_cycle = write;
      machine.caches[i].latency_cycles = rounded(load_latency(sizes[i].bytes, share) * 1e9 * peak.ghz);
    } else {
      machine.memory_read_bytes_per_cycle = read;
      machine.memory_write_bytes_per_cycle = write;
      machine.memory_bytes_per_cycle_all =
          machine.cores > 1 ? per_cycle(read_bandwidth(machine.isa, sizes[i].bytes / 2, machine.cores, share))
                            : read;
    }
  }
  machine.memory_latency_cycles = rounded(load_latency(sizes.back().bytes, share) * 1e9 * peak.ghz);
  if (machine.cores > 1)
    machine.costs.barrier = std::round(fork_join_seconds(machine.cores, seconds * 0.02) * 1e9 * peak.ghz);
  machine.loads_per_cycle =
      std::max(0.5, std::round(2 * machine.caches[0].read_bytes_per_cycle / (4 * machine.vector_lanes)) / 2);
}

void print(const Machine& machine) {
  say("{}\n{} cores, {:.2f} GHz, schedules for {}\n", machine.name, machine.cores, machine.ghz,
      isa_name(machine.isa));
  say("{:<8} {:>10} {:>14} {:>14} {:>14}\n", "level", "bytes", "read B/cycle", "write B/cycle",
      "latency cycles");
  for (const CacheLevel& c : machine.caches) {
    say("{:<8} {:>10} {:>14.1f} {:>14.1f} {:>14.1f}\n", c.name, c.bytes, c.read_bytes_per_cycle,
        c.write_bytes_per_cycle, c.latency_cycles);
  }
  say("{:<8} {:>10} {:>14.1f} {:>14.1f}   ({:.1f} GB/s read by one core, {:.1f} by all)\n", "memory", "",
      machine.memory_read_bytes_per_cycle, machine.memory_write_bytes_per_cycle,
      machine.memory_read_bytes_per_cycle * machine.ghz, machine.memory_bytes_per_cycle_all * machine.ghz);
}

int run(const Arguments& a) {
  if (!(a.seconds > 0 && a.seconds <= 600)) {
    return report_error(invalid_argument("--seconds: must be above 0 and at most 600"));
  }
  Result<Isa> isa = a.isa.empty() ? default_isa() : parse_usable_isa(a.isa);
  if (!isa) return report_error(isa.error());
  if (!a.json.empty()) {
    if (Status s = check_writable(a.json, "--json"); !s) return report_error(s.error());
  }
  Machine machine = host_machine(*isa);
  measure(machine, a.seconds * 0.85);
  print(machine);

  nlohmann::ordered_json peaks = nlohmann::ordered_json::object();
  for (Isa level : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (!cpu_has(level)) break;
    const CorePeak peak = measure_core_peak(level, a.seconds * 0.03);
    say("peak {:<9} {:>8.1f} GFLOP/s a core ({:.2f} FMA/cycle, latency {:.1f}, {:.2f} GHz)\n",
        isa_name(level), peak.gflops, peak.fma_per_cycle, peak.fma_latency, peak.ghz);
    peaks[isa_name(level)] = rounded(peak.gflops);
  }
  if (cpu_has(Isa::amx)) {
    const double gops = 4 * measure_tile_peak(a.seconds * 0.03);
    say("peak amx       {:>8.1f} GOP/s of INT8 a core, half of it GFLOP/s of BF16\n", gops);
    peaks["amx"] = rounded(gops / 4);
  }
  const double fork_join = fork_join_seconds(machine.cores, a.seconds * 0.03);
  say("fork and join of {} spinning threads: {:.2f} us\n", machine.cores, fork_join * 1e6);
  say("latency of memory: {:.0f} ns\n", load_latency(level_sizes(machine, 1).back().bytes, 0.05) * 1e9);
  if (a.json.empty()) return exit_ok;

  // What Machine has no field for rides along; readers of machine files ignore it.
  auto json = nlohmann::ordered_json::parse(to_json(machine));
  json["peak_gflops_per_core"] = peaks;
  json["fork_join_seconds"] = fork_join;
  if (Status s = write_file_atomically(a.json, json_text(json, 2)); !s) return report_error(s.error());
  return exit_ok;
}

}  // namespace

void add_machine(CLI::App& app, Session& session) {
  CLI::App* command = app.add_subcommand("machine", "measure this machine: peaks, bandwidths, latencies");
  auto a = std::make_shared<Arguments>();
  command->add_option("--json", a->json, "write the machine description here");
  command->add_option("--isa", a->isa, "instruction set to describe (default: the best this CPU has)");
  command->add_option("--seconds", a->seconds, "time to spend (default 20)");
  command->callback([a, &session] { session.exit_code = run(*a); });
}

}  // namespace cortex::bench
