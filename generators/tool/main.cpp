// cortex-gen: the compiler's command line.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>
#include <sstream>

#include "generators/cell/command.h"
#include "generators/compress/command.h"
#include "generators/tool/explain_command.h"
#include "generators/tool/generate.h"
#include "generators/tool/machines.h"
#include "generators/tool/names.h"
#include "generators/tool/schedule.h"
#include "generators/tool/version.h"
#include "graph/problem/problem.h"
#include "support/tools/list_option.h"
#include "support/tools/option_values.h"
#include "support/tools/output.h"

namespace {

using namespace cortex;

constexpr int failure = 2;

int report(const Status& status) {
  if (status) return 0;
  complain("cortex-gen: {}\n", status.error().message);
  return failure;
}

// Lists are checked here, not by CLI11, so that every message has the same form.
struct Arguments {
  std::string op = "any";
  std::vector<std::string> isas = default_isas();
  std::vector<int> threads = {1};
  std::vector<std::string> problems;  // those that begin with options

  Status fill(OpKind& kind, std::vector<Isa>& isa_list, std::vector<int>& thread_list,
              std::vector<std::string>& problem_list) const {
    if (op != "any" && op != "conv" && op != "matmul") {
      return invalid_argument(fmt::format("--op {}: unknown operator; there are conv and matmul", op));
    }
    kind = op == "conv" ? OpKind::conv : op == "matmul" ? OpKind::matmul : OpKind::any;
    problem_list.insert(problem_list.end(), problems.begin(), problems.end());
    for (const std::string& name : isas) {
      Result<Isa> isa = target_isa(name);
      if (!isa) return isa.error();
      if (std::find(isa_list.begin(), isa_list.end(), *isa) == isa_list.end()) isa_list.push_back(*isa);
    }
    for (const int n : threads) {
      if (n < 1 || n > 4096) return invalid_argument(fmt::format("--threads {}: expected 1 to 4096", n));
      if (std::find(thread_list.begin(), thread_list.end(), n) == thread_list.end()) thread_list.push_back(n);
    }
    return {};
  }

  void add_to(CLI::App& app) {
    if (isas.empty()) isas = {isa_name(Isa::baseline)};
    app.add_option("--op", op, "read problems as: conv, matmul (default: told apart by syntax)");
    app.add_option("--problem", problems, "the same, for one that begins with options")
        ->allow_extra_args(false);
    add_list_option(app, "--isa", isas, "instruction sets, comma-separated; host: this machine's");
    add_list_option(app, "--threads", threads, "thread counts, comma-separated");
  }
};

int run(int argc, char** argv) {
  CLI::App app("Generates kernel libraries for exactly the problems given.", "cortex-gen");
  app.set_version_flag("--version", generator_version());
  app.require_subcommand(0, 1);

  Arguments arguments;
  GenerateOptions generate_options;
  bool list_outputs = false;
  CLI::App* generate = app.add_subcommand("generate", "write a kernel library's C++ sources");
  generate->add_option("problem", generate_options.problems, "problems, as benchdnn writes them");
  generate->add_option("--batch", generate_options.batch_files, "a file of problems, one a line")
      ->allow_extra_args(false);
  generate->add_option("--out", generate_options.out, "output folder")->capture_default_str();
  generate->add_option("--name", generate_options.name, "the library's name")->capture_default_str();
  generate->add_option("--machine", generate_options.machine_file,
                       "machine description (default: this machine)");
  generate->add_option("--wisdom", generate_options.wisdom_file,
                       "measured schedules (cortex-bench run --mode measure --wisdom FILE)");
  generate->add_option("--ranker", generate_options.ranker_file,
                       "trained ranker, for what wisdom does not know (cortex-bench rank --learn FILE)");
  generate->add_flag("--plain", generate_options.plain,
                     "matmul: also kernels that take B as it is, not prepacked");
  generate->add_option("--parts", generate_options.parts,
                       "number of kernel sources (default: one per 25 kernels)");
  generate->add_option("--jobs", generate_options.jobs, "worker threads (default: one per hardware thread)");
  generate->add_flag("--list-outputs", list_outputs, "print the files it would write, needs --parts");
  arguments.add_to(*generate);

  ScheduleOptions schedule_options;
  CLI::App* schedule = app.add_subcommand("schedule", "print the best schedules of problems");
  schedule->add_option("problem", schedule_options.problems, "problems, as benchdnn writes them");
  schedule->add_option("--keep", schedule_options.keep, "schedules per problem")->capture_default_str();
  schedule->add_option("--machine", schedule_options.machine_file,
                       "machine description (default: this machine)");
  schedule->add_flag("--plain", schedule_options.plain, "B is not packed ahead of time");
  schedule->add_flag("--code", schedule_options.code, "print the generated code too");
  arguments.add_to(*schedule);

  ExplainCommand explain(app);
  CompressCommand compress(app);
  RecursiveCommand recursive(app);

  std::vector<std::string> texts = command_line_words(argc, argv);
  std::vector<char*> words;
  for (std::string& text : texts) words.push_back(text.data());
  try {
    check_option_values(app, argc, argv);
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::Success& e) {
    std::ostringstream text;  // --help, --version
    const int code = app.exit(e, text, text);
    say("{}", text.str());
    return code;
  } catch (const CLI::ParseError& e) {
    complain("cortex-gen: {}; `cortex-gen --help` lists the options\n", e.what());
    return failure;
  }

  if (explain.chosen()) return report(explain.run());
  if (compress.chosen()) return report(compress.run());
  if (recursive.chosen()) return report(recursive.run());
  if (*generate) {
    if (Status s = arguments.fill(generate_options.op, generate_options.isas, generate_options.threads,
                                  generate_options.problems);
        !s)
      return report(s);
    if (Status s = check_library_name(generate_options.name); !s) return report(s);
    if (Status s = check_built(generate_options.isas); !s) return report(s);
    if (generate_options.jobs < 0 || generate_options.jobs > 1024) {
      return report(invalid_argument(fmt::format(
          "--jobs {}: expected 1 to 1024, or 0 for one per hardware thread", generate_options.jobs)));
    }
    if (generate_options.parts < 0 || generate_options.parts > 10000) {
      return report(invalid_argument(
          fmt::format("--parts {}: expected 1 to 10000, or 0 to choose", generate_options.parts)));
    }
    return report(list_outputs ? print_outputs(generate_options) : run_generate(generate_options));
  }
  if (*schedule && (schedule_options.keep < 1 || schedule_options.keep > 10000)) {
    return report(invalid_argument(fmt::format("--keep {}: expected 1 to 10000", schedule_options.keep)));
  }
  if (!*schedule) {
    return report(
        invalid_argument("name a subcommand: generate, schedule, explain, compress or recursive; `cortex-gen "
                         "--help` says more"));
  }
  if (Status s = arguments.fill(schedule_options.op, schedule_options.isas, schedule_options.threads,
                                schedule_options.problems);
      !s)
    return report(s);
  return report(run_schedule(schedule_options));
}

}  // namespace

int main(int argc, char** argv) {
  output::begin();
  try {
    return output::end("cortex-gen", run(argc, argv), failure);
  } catch (const std::bad_alloc&) {
    complain("cortex-gen: out of memory: the problems or weights are too large for this machine\n");
    return failure;
  } catch (const std::exception& e) {  // of the standard library
    complain("cortex-gen: {}\n", e.what());
    return failure;
  }
}
