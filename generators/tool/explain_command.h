// The `explain` subcommand's options. main.cpp makes one, parses, and runs it if it was asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "generators/tool/explain.h"

namespace cortex {

class ExplainCommand {
 public:
  explicit ExplainCommand(CLI::App& app);

  bool chosen() const { return command_->parsed(); }
  Status run();  // prints to standard output

 private:
  CLI::App* command_;
  ExplainOptions options_;
  std::string op_ = "any", isa_ = "host", option_problem_;
  bool no_prepack_ = false;
};

}  // namespace cortex
