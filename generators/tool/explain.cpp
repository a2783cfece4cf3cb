#include "generators/tool/explain.h"

#include <fmt/format.h>

#include "generators/tool/explain_sections.h"
#include "generators/tool/machines.h"
#include "graph/lower/lower.h"
#include "polyopt/isl/legality.h"
#include "polyopt/model/predict.h"
#include "polyopt/schedule/loop_string.h"
#include "polyopt/search/search.h"

namespace cortex {
namespace {

using namespace explaining;

struct Chosen {
  Schedule schedule;
  Prediction prediction;
  std::string origin;
};

Result<Chosen> choose(const ExplainOptions& options, const Nest& nest, const Machine& machine) {
  if (options.schedule.empty()) {
    const SearchOptions how{.threads = options.threads, .keep = 1, .prepacked_b = options.prepack};
    Result<SearchResult> found = search(nest, machine, how);
    if (!found) return found.error();
    if (found->best.empty()) return internal_error(fmt::format("{}: search returned no schedule", nest.name));
    return Chosen{found->best[0].schedule, found->best[0].prediction,
                  fmt::format("the best of {} scored", human_count(found->variants_scored))};
  }
  Result<Schedule> schedule = parse_schedule(options.schedule, nest);
  if (!schedule) return schedule.error();
  if (Status legal = check_legal(nest, *schedule); !legal) return legal.error();
  Result<Prediction> prediction = predict(nest, *schedule, machine, options.threads);
  if (!prediction) return prediction.error();
  return Chosen{*schedule, *prediction, "as given"};
}

std::string problem_text(const Problem& problem) {
  std::string text = fmt::format("  {}\n", to_string(problem));
  if (!problem.name.empty()) {
    text += fmt::format("  {}{}\n", problem.name,
                        problem.count > 1 ? fmt::format(", {} times", problem.count) : "");
  }
  return text + fmt::format("  {} multiply-adds\n", human_count(multiply_adds(problem)));
}

}  // namespace

Result<std::string> explain(const ExplainOptions& options) {
  const Result<Problem> problem = parse_problem(options.problem, options.op);
  if (!problem) return problem.error();
  const Result<Nest> textbook = lower(*problem);
  if (!textbook) return textbook.error();
  const Nest nest = coalesce(*textbook);
  const Result<std::vector<Machine>> found_machines = machines({options.isa}, options.machine_file);
  if (!found_machines) return found_machines.error();
  const Machine& machine = found_machines->front();
  const Result<std::string> dependences = dependence_text(*textbook);
  if (!dependences) return dependences.error();
  const Result<Chosen> chosen = choose(options, nest, machine);
  if (!chosen) return chosen.error();
  if (Status legal = check_legal(nest, chosen->schedule); !legal) {
    return internal_error(fmt::format("search chose an illegal schedule: {}", legal.error().message));
  }
  const Result<Program> program = resolve(nest, chosen->schedule);
  if (!program) return program.error();
  const Result<std::string> footprints = footprint_table(*program, machine, chosen->prediction);
  if (!footprints) return footprints.error();

  std::string text = "problem\n" + problem_text(*problem);
  text += "\nmachine\n" + machine_text(machine, options.threads, nest[Operand::a].tensor.type);
  text += "\nnest, as in a textbook\n" + nest_text(*textbook);
  if (nest.dims.size() != textbook->dims.size()) {
    text += fmt::format("\nnest, {} dims joined into {}\n", textbook->dims.size(), nest.dims.size()) +
            nest_text(nest);
  }
  text += "\ndependences\n" + *dependences;
  text += fmt::format("\nschedule, {}\n  {}\n\n", chosen->origin, to_string(chosen->schedule, nest));
  text += fmt::format("  as a loop string, {}\n  {}\n\n", loop_letters(nest),
                      to_loop_string(chosen->schedule, nest));
  text += loop_tree(*program);
  text += "\nmicrokernel\n" + kernel_text(*program);
  text += "\npacks\n" + packs_text(*program);
  text +=
      "\nlegality\n  legal: every dependence runs forward, no parallel loop carries one, every iteration is "
      "executed "
      "(proved by isl)\n";
  text += "\ntraffic by the model, whole nest, all threads\n" + traffic_table(chosen->prediction);
  text +=
      "\nworking sets, counted exactly by isl in 64-byte lines, operands where the user holds\nthem; model: "
      "what its tile for that level takes, packed copies and their sources included\n" +
      *footprints;
  text +=
      "\nworking sets per reuse: what kernel calls touch from one use of an element to the next (nearest)\n"
      "or to the last (farthest) of those that the loop carries, in distinct elements\n" +
      reuse_table(*program, machine);
  text += "\ntime\n" + bounds_text(*program, machine, chosen->prediction, options.threads);
  return text;
}

}  // namespace cortex
