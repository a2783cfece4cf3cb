// cortex-bench: see README.md.
#include <CLI/CLI.hpp>
#include <cstring>
#include <exception>

#include <fmt/format.h>

#include "bench/commands/commands.h"
#include "bench/run/worker.h"

namespace cortex::bench {

int report_error(const Error& error) {
  fmt::print(stderr, "cortex-bench: {}\n", error.message);
  return error.code == ErrorCode::internal ? exit_failed : exit_bad_input;
}

namespace {

int dispatch(int argc, char** argv) {
  CLI::App app{"Measures Cortex kernels beside oneDNN, LIBXSMM and OpenBLAS."};
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
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    fmt::print(stderr, "cortex-bench: {} (see cortex-bench --help)\n", e.what());
    return exit_bad_input;
  }
  return session.exit_code;
}

}  // namespace
}  // namespace cortex::bench

int main(int argc, char** argv) {
  try {
    if (argc == 2 && std::strcmp(argv[1], "worker") == 0) return cortex::bench::run_worker();
    return cortex::bench::dispatch(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "cortex-bench: {}\n", e.what());
    return cortex::bench::exit_failed;
  }
}
