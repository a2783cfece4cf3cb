// The CPU as one line of text, to tell whether a file of measurements belongs to this one.
#pragma once

#include <string>

#include "polyopt/machine/machine.h"

namespace cortex {

// What the best schedule depends on: the CPU's name, its caches.
std::string describe(const Machine& machine);

}  // namespace cortex
