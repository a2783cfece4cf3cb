// Rates and costs by CPU family, for a Machine nobody has measured.
#pragma once

#include "polyopt/machine/machine.h"

namespace cortex {

struct CpuFamily {
  bool amd = false;
  bool intel_server = false;  // Intel's with AVX-512: a mesh, far from the last cache
  int family = 0, model = 0;
  bool avx512 = false;  // has the instructions, whether they may be used or not
};

CpuFamily host_family();

// Fills isa-dependent rates (lanes, FMAs, loads, latency), bandwidths, latencies and costs. Cache sizes stay
// as they are, but for what a virtual machine cannot have of its host's last cache.
void apply_defaults(Machine& machine, const CpuFamily& cpu);

// vdpbf16ps per cycle of a CPU whose family nobody knows: a quarter of the FMAs where there are tile
// registers, as in all CPUs that have these so far, else as many. None below avx512bf16.
double default_bf16_dots(Isa isa, double fma_per_cycle);

// The same caches and clock, for another level.
Machine at_level(Machine machine, Isa isa);

}  // namespace cortex
