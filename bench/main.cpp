// cortex-bench: see README.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <exception>
#include <sstream>

#include "bench/commands/commands.h"
#include "bench/measure/interrupt.h"
#include "bench/run/worker.h"
#include "graph/problem/problem.h"
#include "support/tools/option_values.h"
#include "support/tools/output.h"

namespace cortex::bench {

int report_error(const Error& error) {
  complain("cortex-bench: {}\n", error.message);
  return error.code == ErrorCode::internal ? exit_failed : exit_bad_input;
}

void flush_output() {
  output::flush();
  if (output::closed()) interrupt();
}

namespace {

int dispatch(int argc, char** argv) {
  CLI::App app{"Measures Cortex beside oneDNN, LIBXSMM, OpenBLAS and PyTorch."};
  app.name("cortex-bench");
  app.set_version_flag("--version", "cortex-bench " CORTEX_BENCH_VERSION);
  app.require_subcommand(1);
  Session session;
  session.command_line.assign(argv, argv + argc);
  add_run(app, session);
  add_machine(app, session);
  add_list(app, session);
  add_roofline(app, session);
  add_compare(app, session);
#if CORTEX_BENCH_HAS_CORTEX
  add_fuzz(app, session);
  add_rank(app, session);
  add_ablate(app, session);
  add_detect(app, session);
#endif
  std::vector<std::string> texts = command_line_words(argc, argv);
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  try {
    check_option_values(app, argc, argv);
    app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help, --version
      std::ostringstream text;
      app.exit(e, text, text);
      say("{}", text.str());
      return exit_ok;
    }
    complain("cortex-bench: {} (see cortex-bench --help)\n", e.what());
    return exit_bad_input;
  }
  return session.exit_code;
}

}  // namespace
}  // namespace cortex::bench

int main(int argc, char** argv) {
  try {
    if (argc == 2 && std::strcmp(argv[1], "worker") == 0) return cortex::bench::run_worker();
    cortex::output::begin();
    const int code = cortex::bench::dispatch(argc, argv);
    return cortex::output::end("cortex-bench", code, cortex::bench::exit_bad_input);
  } catch (const std::exception& e) {
    cortex::complain("cortex-bench: {}\n", e.what());
    return cortex::bench::exit_failed;
  }
}
