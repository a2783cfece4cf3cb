#include "polyopt/analysis/working_set.h"

#include <fmt/format.h>

#include "polyopt/analysis/image.h"
#include "polyopt/analysis/reuse_pairs.h"

namespace cortex {
namespace {

using namespace polyhedral;

Result<WorkingSet> touched(const Nest& nest, const Schedule& schedule, const CallIndex& source,
                           const CallIndex& target) {
  WorkingSet set{.target = target, .elements = {}};
  const auto boxes = boxes_between(nest, schedule, source, target);
  for (int o = 0; o < operand_count; ++o) {
    std::vector<Image> images;
    for (const std::vector<TileRange>& box : boxes) {
      Result<Image> one = image(nest, static_cast<Operand>(o), box);
      if (!one) return one.error();
      images.push_back(std::move(*one));
    }
    const Result<int64_t> n = count_union(images);
    if (!n) return n.error();
    set.elements[o] = *n;
  }
  return set;
}

}  // namespace

int64_t WorkingSet::bytes(const Nest& nest) const {
  int64_t sum = 0;
  for (int o = 0; o < operand_count; ++o) sum += elements[o] * size_of(nest.access[o].tensor.type);
  return sum;
}

const char* reuse_kind(Operand operand) { return operand == Operand::c ? "RAW" : "RAR"; }

Result<std::vector<Reuse>> working_sets(const Nest& nest, const Schedule& schedule) {
  std::vector<Reuse> reuses;
  for (int o = 0; o < operand_count; ++o) {
    const Operand operand = static_cast<Operand>(o);
    for (int loop = 0; loop < std::ssize(schedule.loops); ++loop) {
      const auto pair = reuse_pair(nest, schedule, operand, loop);
      if (!pair) return pair.error();
      if (!*pair) continue;
      const ReusePair& p = **pair;
      Result<WorkingSet> nearest = touched(nest, schedule, p.source, p.nearest);
      if (!nearest) return nearest.error();
      Result<WorkingSet> farthest = touched(nest, schedule, p.source, p.farthest);
      if (!farthest) return farthest.error();
      reuses.push_back({operand, loop, p.source, std::move(*nearest), std::move(*farthest)});
    }
  }
  return reuses;
}

}  // namespace cortex
