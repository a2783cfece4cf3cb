// Issue rates by CPU family, for a Machine nobody has measured.
#pragma once

#include "polyopt/machine/machine.h"

namespace cortex {

struct CpuFamily {
  bool amd = false;
  int family = 0, model = 0;
};

CpuFamily host_family();

// Fills isa-dependent rates (lanes, FMAs, loads, latency) and bandwidths; cache sizes stay as they are.
void apply_default_rates(Machine& machine, const CpuFamily& cpu);

}  // namespace cortex
