// Machine: what the cost model knows of a CPU. Small JSON files, or `host`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "polyopt/machine/costs.h"
#include "support/cpu.h"
#include "support/result.h"

namespace cortex {

struct CacheLevel {
  std::string name;   // "L1", "L2", "L3"
  int64_t bytes = 0;  // capacity of one instance
  int64_t line = 64;
  int associativity = 8;
  int shared_by = 1;                // cores per instance
  double read_bytes_per_cycle = 0;  // sustained by one core, from this level into the one above
  double write_bytes_per_cycle = 0;
  double latency_cycles = 0;
};

struct Machine {
  std::string name;
  Isa isa = Isa::baseline;  // what kernels may use
  int cores = 1;
  double ghz = 0;                  // sustained under vector load
  double fma_per_cycle = 0;        // vector FMA instructions per cycle and core
  double bf16_dots_per_cycle = 0;  // vdpbf16ps instructions: two multiply-adds a lane; 0: there are none
  double loads_per_cycle = 2;
  int vector_lanes = 4;  // f32 lanes of isa
  int fma_latency = 4;
  int64_t page_bytes = 4096;
  int tlb_entries = 64;
  std::vector<CacheLevel> caches;          // L1 first
  double memory_read_bytes_per_cycle = 0;  // one core
  double memory_write_bytes_per_cycle = 0;
  double memory_bytes_per_cycle_all = 0;  // all cores together
  double memory_latency_cycles = 400;
  Costs costs;

  double peak_gflops(int threads) const { return 2.0 * ghz * fma_per_cycle * vector_lanes * threads; }
};

// The machine this runs on: sizes from CPUID and sysfs, rates by conservative default for the ISA.
// Deterministic, fast (no measurement). `isa` caps the kernels it will be scheduled for.
Machine host_machine(Isa isa);

// The same for kernels that may run elsewhere: of `isa` whether this CPU has it or not, with this CPU's
// caches and clock.
Machine target_machine(Isa isa);

// JSON text as `cortex-bench machine --json` writes it. Refuses missing keys and impossible numbers by name;
// "costs" and what is in it may be left out.
Result<Machine> parse_machine(std::string_view json, std::string_view source);
std::string to_json(const Machine& machine);

}  // namespace cortex
