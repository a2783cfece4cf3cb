#include <fmt/format.h>
#include <fmt/ranges.h>

#include "generators/tool/explain_sections.h"
#include "polyopt/isl/working_set.h"

namespace cortex::explaining {
namespace {

std::string loop_name(const Program& program, int index) {
  const Loop& loop = program.schedule.loops[index];
  return fmt::format("{}/{}{} (loop {})", program.nest.dims[loop.dim].name, loop.step,
                     loop.balanced ? "~" : "", index);
}

// In tiles, by dim: "oh+1 kh-1".
std::string way_to(const Program& program, const Reuse& reuse) {
  std::vector<std::string> moves;
  for (std::size_t l = 0; l < reuse.source.size(); ++l) {
    const int64_t by = reuse.nearest.target[l] - reuse.source[l];
    if (by != 0)
      moves.push_back(fmt::format("{}{:+}", program.nest.dims[program.schedule.loops[l].dim].name, by));
  }
  return fmt::format("{}", fmt::join(moves, " "));
}

std::string holder(const Machine& machine, int64_t bytes) {
  for (const CacheLevel& cache : machine.caches) {
    if (bytes <= cache.bytes) return cache.name;
  }
  return "memory";
}

}  // namespace

std::string reuse_table(const Program& program, const Machine& machine) {
  const Result<WorkingSets> sets = any_working_sets(program.nest, program.schedule);
  if (!sets) return fmt::format("  not counted: {}\n", sets.error().message);
  if (sets->reuses.empty()) return "  none: no element is used by two kernel calls\n";
  std::string text = fmt::format("  {:<8}{:<22}{:<14}{:>12}  {:<8}{:>12}  {}\n", "", "carried by", "next use",
                                 "nearest", "fits", "farthest", "fits");
  for (const Reuse& reuse : sets->reuses) {
    const int64_t near = reuse.nearest.bytes(program.nest), far = reuse.farthest.bytes(program.nest);
    text += fmt::format("  {:<8}{:<22}{:<14}{:>12}  {:<8}{:>12}  {}\n",
                        fmt::format("{} {}", reuse_kind(reuse.operand), operand_name(reuse.operand)),
                        loop_name(program, reuse.loop), way_to(program, reuse),
                        human_bytes(static_cast<double>(near)), holder(machine, near),
                        human_bytes(static_cast<double>(far)), holder(machine, far));
  }
  if (!sets->counted_because.empty()) text += fmt::format("  counted by isl: {}\n", sets->counted_because);
  return text;
}

}  // namespace cortex::explaining
