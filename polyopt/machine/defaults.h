// Rates and costs by CPU family, for a Machine nobody has measured.
#pragma once

#include "polyopt/machine/machine.h"

namespace cortex {

struct CpuFamily {
  bool amd = false;
  bool intel_server = false;  // Intel's with AVX-512: a mesh, far from the last cache
  int family = 0, model = 0;
};

CpuFamily host_family();

// Fills isa-dependent rates (lanes, FMAs, loads, latency), bandwidths, latencies and costs. Cache sizes stay
// as they are, but for what a virtual machine cannot have of its host's last cache.
void apply_defaults(Machine& machine, const CpuFamily& cpu);

}  // namespace cortex
