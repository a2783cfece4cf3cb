// CPUs whose 512-bit multiply-adds are done half by half (AMD's Zen 4).
#pragma once

#include "polyopt/machine/machine.h"

namespace cortex {

inline bool halves_take_turns(const Machine& machine) {
  return machine.vector_lanes >= 16 && machine.fma_per_cycle <= 1.2;
}

}  // namespace cortex
