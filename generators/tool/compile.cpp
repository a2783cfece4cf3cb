#include "generators/tool/compile.h"

#include <fmt/format.h>

#include "generators/ast/build.h"
#include "graph/lower/lower.h"
#include "polyopt/isl/legality.h"
#include "polyopt/model/ask_for_c.h"
#include "polyopt/model/predict.h"
#include "polyopt/schedule/kernel_key.h"
#include "polyopt/search/search.h"
#include "support/fnv.h"

namespace cortex {
namespace {

Error about(const Problem& problem, const Error& error) {
  return {error.code, fmt::format("{}: {}", to_string(problem), error.message)};
}

Result<LibraryKernel> compile_known(const KernelRequest& request, const Machine& machine, const Nest& nest,
                                    const std::string& text) {
  const Result<Schedule> schedule = parse_schedule(text, nest);
  if (!schedule) return about(request.problem, schedule.error());
  Result<LibraryKernel> kernel = compile_scheduled(request, machine, nest, *schedule);
  if (!kernel) return kernel;
  const Result<Prediction> prediction = predict(nest, *schedule, machine, request.threads);
  if (!prediction) return about(request.problem, prediction.error());
  kernel->predicted_seconds = prediction->seconds;
  return kernel;
}

}  // namespace

Result<LibraryKernel> compile_kernel(const KernelRequest& request, const Machine& machine,
                                     const Wisdom* wisdom, const Ranker* ranker) {
  Result<Nest> lowered = lower(request.problem);
  if (!lowered) return about(request.problem, lowered.error());
  const Nest nest = coalesce(*lowered);
  const std::string key =
      Wisdom::key(problem_key(request.problem), machine.isa, request.threads, request.prepacked);
  const WisdomEntry* known = wisdom ? wisdom->find(key) : nullptr;
  if (known) return compile_known(request, machine, nest, known->schedule);
  const SearchOptions options{.threads = request.threads, .keep = 1, .prepacked_b = request.prepacked};
  const Result<Candidate> best = best_schedule(nest, machine, options, ranker);
  if (!best) return about(request.problem, best.error());
  Result<LibraryKernel> kernel = compile_scheduled(request, machine, nest, best->schedule);
  if (kernel) kernel->predicted_seconds = best->prediction.seconds;
  return kernel;
}

Result<LibraryKernel> compile_scheduled(const KernelRequest& request, const Machine& machine,
                                        const Nest& coalesced, const Schedule& schedule) {
  if (Status s = check_legal(coalesced, schedule); !s) return about(request.problem, s.error());
  Result<Program> program = resolve(coalesced, schedule);
  if (!program) return about(request.problem, program.error());
  ask_for_c(*program, machine);

  LibraryKernel kernel;
  kernel.key = kernel_table_key(request.problem, request.prepacked);
  kernel.problem = to_string(request.problem);
  kernel.name = request.problem.name;
  kernel.isa = isa_name(machine.isa);
  kernel.threads = request.threads;
  kernel.schedule = to_string(schedule, coalesced);
  kernel.scratch_bytes = program->scratch_bytes;
  kernel.packed_weights_bytes = program->packed_weights_bytes;
  kernel.hash = kernel_entry_hash(kernel.key, kernel.isa, kernel.threads);
  const std::string name =
      kernel_function_name(coalesced.name, kernel.key, kernel.isa, kernel.threads, kernel.hash);
  Result<Function> function = build_function(*program, name);
  if (!function) return about(request.problem, function.error());
  kernel.function = std::move(*function);
  if (program->split.loop < 0) return kernel;
  Result<Function> sum = build_function(*program->split.sum, name + "_sum");
  if (!sum) return about(request.problem, sum.error());
  kernel.sum = std::move(*sum);
  kernel.parts_bytes = program->split.scratch_bytes();
  return kernel;
}

}  // namespace cortex
