// The command line of `cortex-bench run`, read and checked.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "bench/backends/backend.h"
#include "bench/run/run_problem.h"
#include "bench/run/search_mode.h"
#include "graph/problem/typed.h"

namespace cortex::bench {

enum class Cold { none, weights, all };
const char* cold_name(Cold cold);

struct RunArguments {  // as typed
  std::vector<std::string> problems, option_problems, problem_lists, backends, dts, weights, isas, kernels,
      libraries;
  std::vector<int> threads;
  std::string op, cold = "none", schedule, trees, mode = "estimate", wisdom, ranker;
  double tune_seconds = 2;
  double sparsity = 0;  // of formats that leave it open
  bool verify = false, plain = false, quiet = false;
  std::string json, csv, html;
  int repeats = 0, batches = 0;
  double min_time = 0.4, time_limit = 0;
  uint64_t seed = 1;
};
// CLI11 reads "-1" into an unsigned number as a huge one; this refuses it.
CLI::Validator not_negative();
void add_run_options(CLI::App& app, RunArguments& arguments);

struct RunOptions {  // as meant
  std::vector<RunProblem> problems;
  std::vector<std::string> backends;
  std::vector<Isa> isas;
  std::vector<int> threads;
  std::vector<KernelChoice> kernels;
  std::vector<std::string> libraries;
  std::string schedule;  // for Cortex, of the only problem; empty: the best that search finds
  SearchMode mode = SearchMode::estimate;  // how these schedules are found
  std::string wisdom;                      // file of measured ones
  std::string ranker;                      // file of a trained ranker, for estimate mode
  double tune_seconds = 2;
  double sparsity = 0;
  Cold cold = Cold::none;
  bool verify = false, plain = false, quiet = false;
  std::string json, csv, html;
  std::string trees;  // file of bracketed trees, for recursive problems
  int repeats = 0;
  int batches = 0;  // of structures in one execution; 0: recursive_batches
  double min_time = 0.4, time_limit = 0;
  uint64_t seed = 1;
};
Result<RunOptions> check_run_arguments(const RunArguments& arguments);

// Shared with other subcommands, which take conv and matmul.
Result<OpKind> parse_op(const std::string& text);
// Refuses problems of which this machine cannot hold the operands so many times.
Status check_memory(const std::vector<RunProblem>& problems, std::size_t sets, const std::string& of_what);
Result<Isa> parse_usable_isa(const std::string& text);  // refuses what cannot run here
Result<Isa> default_isa();                              // the widest family of kernels this CPU runs
Result<Isa> default_isa(
    const std::vector<RunProblem>& problems);  // with what narrow types among them gain by
std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second);
Result<std::vector<Problem>> gather_problems(const std::vector<std::string>& lines,
                                             const std::vector<std::string>& batches, OpKind op,
                                             const std::optional<Types>& unstated = {});

}  // namespace cortex::bench
