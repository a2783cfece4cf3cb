#include "polyopt/search/parts.h"

#include <algorithm>

#include "polyopt/schedule/schedule.h"

namespace cortex {
namespace {

constexpr double split_pays = 64;  // bytes of A and B for each one that is added up afterwards

}  // namespace

std::vector<int> part_counts(const NestFacts& nest, int64_t extent, int threads, int64_t least) {
  std::vector<int> counts;
  if (threads == 1 || !nest.f32_sums) return counts;
  const double read = nest[Operand::a].bytes + nest[Operand::b].bytes;
  for (int parts = std::min<int>(threads, most_parts); parts > 1 && counts.size() < 3; --parts) {
    const bool divides = threads % parts == 0 && extent >= parts * least;
    if (divides && parts * nest[Operand::c].bytes * split_pays < read) counts.push_back(parts);
  }
  return counts;
}

}  // namespace cortex
