// What a core can do at best, measured: fused multiply-adds per second, clock, latencies of the FMA unit.
#pragma once

#include "support/cpu.h"

namespace cortex::bench {

struct CorePeak {
  double gflops = 0;         // 2 per lane and FMA instruction
  double ghz = 0;            // from a chain of dependent additions, one cycle each, under the same load
  double fma_per_cycle = 0;  // vector instructions
  double fma_latency = 0;    // cycles
  int lanes = 0;
};

// One core, for an ISA this CPU has (those of narrow types measure as their f32_isa). The best of many short
// windows, so that a busy machine does not lower it; `seconds` in all.
CorePeak measure_core_peak(Isa isa, double seconds = 0.1);

// The same of tile registers (Isa::amx), a unit of 4 bytes times another counted like an f32.
double measure_tile_peak(double seconds = 0.1);

}  // namespace cortex::bench
