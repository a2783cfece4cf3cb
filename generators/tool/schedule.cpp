#include "generators/tool/schedule.h"

#include <fmt/format.h>

#include "generators/tool/compile.h"
#include "generators/tool/machines.h"
#include "generators/tool/version.h"
#include "graph/lower/lower.h"
#include "polyopt/search/search.h"
#include "support/tools/output.h"

namespace cortex {
namespace {

Status print_one(const ScheduleOptions& options, const Problem& problem, const Machine& machine,
                 int threads) {
  Result<Nest> lowered = lower(problem);
  if (!lowered) return lowered.error();
  const Nest nest = coalesce(*lowered);
  const SearchOptions how{.threads = threads, .keep = options.keep, .prepacked_b = !options.plain};
  const Result<SearchResult> found = search(nest, machine, how);
  if (!found) return found.error();
  say("{}  {} threads {}: {} variants in {:.1f} ms\n", to_string(problem), isa_name(machine.isa), threads,
      found->variants_scored, 1e3 * found->seconds);
  for (const Candidate& c : found->best) {
    say("  {:9.1f} us  {}\n", 1e6 * c.prediction.seconds, to_string(c.schedule, nest));
    if (!options.code) continue;
    Result<LibraryKernel> kernel =
        compile_scheduled({problem, !options.plain, threads}, machine, nest, c.schedule);
    if (!kernel) return kernel.error();
    kernel->predicted_seconds = c.prediction.seconds;
    say("\n{}\n", emit_kernel(*kernel, generator_version()));
  }
  return {};
}

}  // namespace

Status run_schedule(const ScheduleOptions& options) {
  if (options.problems.empty()) return invalid_argument("no problem given: name one or more");
  const Result<std::vector<Machine>> targets = machines(options.isas, options.machine_file);
  if (!targets) return targets.error();
  for (const std::string& line : options.problems) {
    const Result<Problem> problem = parse_problem(line, options.op);
    if (!problem) return problem.error();
    for (const Machine& machine : *targets) {
      for (const int threads : options.threads) {
        if (Status s = print_one(options, *problem, machine, threads); !s) return s;
      }
    }
  }
  return {};
}

}  // namespace cortex
