#include "polyopt/machine/describe.h"

#include <fmt/format.h>

namespace cortex {

std::string describe(const Machine& machine) {
  std::string text = machine.name;
  for (const CacheLevel& c : machine.caches)
    text += fmt::format(", {} {} KiB/{} ways/{} cores", c.name, c.bytes / 1024, c.associativity, c.shared_by);
  return text;
}

}  // namespace cortex
