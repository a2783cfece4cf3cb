// The `recursive` subcommand. main.cpp makes one, parses, and runs it if it was asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "graph/recursive/model.h"
#include "support/result.h"

namespace cortex {

class RecursiveCommand {
 public:
  explicit RecursiveCommand(CLI::App& app);

  bool chosen() const { return command_->parsed(); }
  Status run();  // prints to standard output

 private:
  Result<std::vector<recursive::Model>> read_models() const;
  Result<std::vector<std::string>> target_isas() const;

  CLI::App* command_;
  std::vector<std::string> files_, ready_, isas_;
  std::vector<int64_t> hidden_;
  int64_t input_ = 0, max_children_ = 0;
  std::string out_ = ".", name_ = "cells";
};

}  // namespace cortex
