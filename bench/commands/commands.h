// The subcommands. Each adds itself to the application; its callback stores the exit code.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "support/result.h"

namespace cortex::bench {

enum ExitCode { exit_ok = 0, exit_failed = 1, exit_bad_input = 2 };

struct Session {
  std::vector<std::string> command_line;
  int exit_code = exit_ok;
};

void add_run(CLI::App& app, Session& session);
void add_machine(CLI::App& app, Session& session);
void add_list(CLI::App& app, Session& session);
void add_roofline(CLI::App& app, Session& session);
void add_compare(CLI::App& app, Session& session);
void add_fuzz(CLI::App& app, Session& session);
void add_ablate(CLI::App& app, Session& session);
void add_detect(CLI::App& app, Session& session);
void add_rank(CLI::App& app, Session& session);

// Sends out what was printed. Where nobody reads it any more, commands that Ctrl-C ends orderly end like
// that.
void flush_output();

// One line on standard error; returns exit_bad_input (exit_failed for a bug of ours).
int report_error(const Error& error);

}  // namespace cortex::bench
