#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/commands/commands.h"
#include "bench/reference/shapes.h"
#include "bench/report/file.h"
#include "bench/report/table.h"
#include "bench/run/options.h"
#include "graph/lower/lower.h"
#include "polyopt/machine/defaults.h"
#include "polyopt/machine/machine.h"
#include "polyopt/model/peak.h"
#include "polyopt/search/search.h"
#include "support/text_file.h"
#include "support/tools/list_option.h"
#include "support/tools/output.h"

namespace cortex::bench {
namespace {

struct Arguments {
  std::vector<std::string> problems, option_problems, batches;
  std::string op, isa, machine, json;
  int threads = 1;
  bool plain = false;
};

struct Line {
  Peak peak;
  double flops = 0, bytes = 0, roofline_ns = 0, predicted_ns = 0;
  std::string schedule;
};

double compulsory_bytes(const Problem& p) {
  const int64_t results = c_elements(p) * (p.epilogue.residual ? 2 : 1),
                columns = bias_elements(p) * ((p.epilogue.bias ? 1 : 0) + (p.epilogue.scale ? 1 : 0));
  return static_cast<double>(a_elements(p) * size_of(p.src) + b_elements(p) * size_of(p.wei) +
                             results * size_of(p.dst) + columns * size_of(DataType::f32));
}

Result<Line> analyse(const Problem& problem, const Machine& machine, const Arguments& a) {
  Result<Nest> nest = lower(problem);
  if (!nest) return nest.error();
  const Nest coalesced = coalesce(*nest);
  SearchOptions options;
  options.threads = a.threads;
  options.prepacked_b = !(a.plain && problem.is_matmul());
  Result<SearchResult> found = search(coalesced, machine, options);
  if (!found) return found.error();
  if (found->best.empty()) return internal_error("the search returned no schedule");
  Line line;
  line.peak = peak_of(machine, coalesced[Operand::a].tensor.type);
  line.flops = flop_count(problem);
  line.bytes = compulsory_bytes(problem);
  const double bandwidth = a.threads > 1 ? std::min(machine.memory_bytes_per_cycle_all,
                                                    a.threads * machine.memory_read_bytes_per_cycle)
                                         : machine.memory_read_bytes_per_cycle;
  line.roofline_ns =
      std::max(line.flops / line.peak.gflops(machine, a.threads), line.bytes / (bandwidth * machine.ghz));
  line.predicted_ns = found->best.front().prediction.seconds * 1e9;
  line.schedule = to_string(found->best.front().schedule, coalesced);
  return line;
}

Result<Machine> machine_of(const Arguments& a, const std::vector<Problem>& problems) {
  Result<Isa> isa = a.isa.empty() ? default_isa() : parse_usable_isa(a.isa);
  if (!isa) return isa.error();
  const auto narrow = [](const Problem& p) { return p.src != DataType::f32; };
  if (a.isa.empty() && std::any_of(problems.begin(), problems.end(), narrow)) isa = *usable_isa(nullptr);
  if (a.machine.empty() || a.machine == "host") return host_machine(*isa);
  Result<std::string> text = read_text_file(a.machine);
  if (!text) return named("--machine", text.error());
  Result<Machine> machine = parse_machine(*text, a.machine);
  if (machine && !a.isa.empty()) *machine = at_level(*machine, *isa);
  return machine;
}

int run(const Arguments& a) {
  Result<OpKind> op = parse_op(a.op);
  if (!op) return report_error(op.error());
  if (a.threads < 1 || a.threads > 256) {
    return report_error(invalid_argument(fmt::format("--threads: {} is not between 1 and 256", a.threads)));
  }
  std::vector<NamedFile> files = {{"--json", a.json}};
  add_read(files, "--batch", a.batches);
  if (Status s = check_outputs(files); !s) return report_error(s.error());
  Result<std::vector<Problem>> problems =
      gather_problems(joined(a.problems, a.option_problems), a.batches, *op);
  if (!problems) return report_error(problems.error());
  Result<Machine> machine = machine_of(a, *problems);
  if (!machine) return report_error(machine.error());

  const Peak f32 = peak_of(*machine, DataType::f32);
  say("{}, isa {}, threads {}: peak {:.1f} GFLOP/s of {}, memory {:.1f} GB/s a core\n", machine->name,
      isa_name(machine->isa), a.threads, f32.gflops(*machine, a.threads), f32.instruction,
      machine->memory_read_bytes_per_cycle * machine->ghz);
  say("{:<20} {:<34} {:>9} {:>9} {:>9} {:>8} {:<15} {:>11} {:<7} {:>12} {:>8}\n", "name", "shape", "MFLOP",
      "MB", "FLOP/B", "peak", "of", "roofline us", "bound", "predicted us", "GFLOP/s");
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (const Problem& p : *problems) {
    Result<Line> line = analyse(p, *machine, a);
    if (!line) return report_error(line.error());
    const double peak = line->peak.gflops(*machine, a.threads);
    const bool compute = line->flops / peak >= line->roofline_ns * 0.999;
    say("{:<20} {:<34} {:>9.2f} {:>9.2f} {:>9.2f} {:>8.1f} {:<15} {:>11} {:<7} {:>12} {:>8.1f}\n",
        p.name.empty() ? p.text : p.name, short_shape(p), line->flops * 1e-6, line->bytes * 1e-6,
        line->flops / line->bytes, peak, line->peak.instruction, microseconds(line->roofline_ns),
        compute ? "compute" : "memory", microseconds(line->predicted_ns), line->flops / line->predicted_ns);
    results.push_back({{"problem", p.text},
                       {"name", p.name},
                       {"count", p.count},
                       {"threads", a.threads},
                       {"isa", isa_name(machine->isa)},
                       {"flops", line->flops},
                       {"compulsory_bytes", line->bytes},
                       {"intensity", line->flops / line->bytes},
                       {"peak_gflops", peak},
                       {"peak_of", line->peak.instruction},
                       {"roofline_ns", line->roofline_ns},
                       {"bound", compute ? "compute" : "memory"},
                       {"predicted_ns", line->predicted_ns},
                       {"schedule", line->schedule}});
  }
  if (a.json.empty()) return exit_ok;
  const nlohmann::ordered_json document = {{"machine", nlohmann::ordered_json::parse(to_json(*machine))},
                                           {"results", results}};
  if (Status s = write_file_atomically(a.json, json_text(document, 1)); !s) return report_error(s.error());
  return exit_ok;
}

}  // namespace

void add_roofline(CLI::App& app, Session& session) {
  CLI::App* command =
      app.add_subcommand("roofline", "what the machine allows for each problem, and what is predicted");
  auto a = std::make_shared<Arguments>();
  command->add_option("problem", a->problems, "problem lines");
  command->add_option("--problem", a->option_problems, "the same, for one that begins with options")
      ->allow_extra_args(false);
  command->add_option("--batch", a->batches, "file of problems, or the name of a shipped list")
      ->allow_extra_args(false);
  command->add_option("--op", a->op, "conv or matmul");
  command->add_option("--isa", a->isa, "instruction set");
  command->add_option("--machine", a->machine, "machine description (JSON); default: host");
  command->add_option("--threads", a->threads, "thread count");
  command->add_flag("--plain", a->plain, "matmul: weights not packed ahead of time");
  command->add_option("--json", a->json, "write results here");
  command->callback([a, &session] { session.exit_code = run(*a); });
}

}  // namespace cortex::bench
