// What the cost model says of one schedule. Bytes are per whole nest and all threads; cycles per the
// slowest thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "graph/nest/nest.h"

namespace cortex {

struct LevelTraffic {
  std::string level;  // "L1" means: between registers and L1; "memory": between the last cache and memory
  std::array<double, operand_count> read_bytes{};
  std::array<double, operand_count> write_bytes{};
  double cycles = 0;           // traffic over bandwidth
  double footprint_bytes = 0;  // what the loops inside this level's tile keep live
};

struct Prediction {
  double cycles = 0;
  double seconds = 0;
  double kernel_cycles = 0;  // microkernels alone, operands in place
  double pack_cycles = 0;
  std::vector<LevelTraffic> levels;
  double io_lower_bound_bytes = 0;  // compulsory traffic to memory
  double roofline_seconds = 0;      // max(flops/peak_of the types, compulsory bytes/bandwidth)
};

}  // namespace cortex
