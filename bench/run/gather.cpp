#include "bench/run/gather.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "bench/backends/backend.h"
#include "bench/run/formats.h"
#include "bench/run/options.h"
#include "bench/run/workloads.h"
#include "support/text_file.h"

namespace cortex::bench {
namespace {

enum class Kind { dense, recursive, rnn };

std::string first_word(std::string_view line) {
  const size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return std::string(line.substr(begin, line.find_first_of(" \t\r", begin) - begin));
}

Kind kind_of(std::string_view line) {
  std::string word = first_word(line);
  for (int m = 0; m <= static_cast<int>(RecursiveModel::seqgru); ++m) {
    if (word == recursive_model_name(static_cast<RecursiveModel>(m))) return Kind::recursive;
  }
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return char(std::toupper(c)); });
  for (const char* cell : {"LSTM", "GRU", "LBR_GRU", "VANILLA_RNN", "VANILLA_LSTM", "VANILLA_GRU", "--RNN"}) {
    if (word == cell) return Kind::rnn;
  }
  return word.substr(0, 6) == "--ALG=" ? Kind::rnn : Kind::dense;
}

Result<Kind> kind_of_list(const std::string& path) {
  Result<std::string> text = read_text_file(path);
  if (!text) return text.error();
  std::string first;
  Status s = for_each_line(*text, path, [&](std::string_view line) {
    if (first.empty()) first = line;
    return Status::success();
  });
  if (!s) return s.error();
  return kind_of(first);
}

template <typename Read>
Status append(Result<std::vector<Read>> read, std::vector<RunProblem>& problems) {
  if (!read) return read.error();
  for (Read& p : *read) problems.emplace_back().what.emplace<Read>(std::move(p));
  return Status::success();
}

// As one line: arguments that belong together need no quotes.
std::string one_line(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : " ") + line;
  return all;
}

}  // namespace

Result<std::vector<RunProblem>> gather_run_problems(const std::vector<std::string>& lines,
                                                    const std::vector<std::string>& option_lines,
                                                    const std::vector<std::string>& lists,
                                                    const std::string& op,
                                                    const std::optional<Types>& unstated) {
  std::vector<RunProblem> problems;
  const std::vector<std::string> typed = joined(option_lines, lines);
  const auto wanted = [&](Kind found) {
    return op == "recursive" ? Kind::recursive : op == "rnn" ? Kind::rnn : op.empty() ? found : Kind::dense;
  };
  const OpKind dense = op == "conv" ? OpKind::conv : op == "matmul" ? OpKind::matmul : OpKind::any;
  if (!typed.empty()) {
    const Kind kind = wanted(kind_of(typed.front()));
    Status s = kind == Kind::recursive ? append(parse_recursive(one_line(typed)), problems)
               : kind == Kind::rnn
                   ? append(parse_rnn(one_line(typed)), problems)
                   : append(gather_problems(joined(lines, option_lines), {}, dense, unstated), problems);
    if (!s) return s.error();
  }
  for (const std::string& list : lists) {
    Result<std::string> path = find_workload(list);
    if (!path) return path.error();
    Kind kind = wanted(Kind::dense);
    if (op.empty()) {
      Result<Kind> found = kind_of_list(*path);
      if (!found) return found.error();
      kind = *found;
    }
    Status s = kind == Kind::recursive ? append(read_recursive_batch(*path), problems)
               : kind == Kind::rnn     ? append(read_rnn_batch(*path), problems)
                                       : append(gather_problems({}, {*path}, dense, unstated), problems);
    if (!s) return s.error();
  }
  if (problems.empty()) {
    return invalid_argument(
        "no problem given: name one, or --batch FILE (cortex-bench list shows the shipped ones)");
  }
  return problems;
}

Result<std::vector<RunProblem>> gather_in_types(const std::vector<std::string>& lines,
                                                const std::vector<std::string>& option_lines,
                                                const std::vector<std::string>& lists, const std::string& op,
                                                const std::vector<std::string>& dts) {
  if (dts.empty()) return gather_run_problems(lines, option_lines, lists, op);
  std::vector<RunProblem> all;
  for (const std::string& dt : dts) {
    const Result<Types> types = parse_dt(dt);
    if (!types) return types.error();
    Result<std::vector<RunProblem>> problems = gather_run_problems(lines, option_lines, lists, op, *types);
    if (!problems) return problems.error();
    for (RunProblem& problem : *problems) {
      if (!problem.dense() && dt != "f32")
        return invalid_argument(fmt::format("--dt {}: '{}' runs in f32 alone", dt, problem.text()));
      all.push_back(std::move(problem));
    }
  }
  return all;
}

std::vector<std::string> backends_for(const std::vector<RunProblem>& problems) {
  std::vector<std::string> names;
  for (const BackendEntry& entry : backend_entries()) {
    const bool knows = std::all_of(problems.begin(), problems.end(), [&](const RunProblem& p) {
      return p.dense() ? entry.dense : p.recursive() ? entry.recursive : entry.rnn;
    });
    if (entry.make && knows) names.push_back(entry.name);
  }
  return names;
}

Result<std::string> find_trees(const std::string& path_or_name) {
  std::error_code error;
  if (std::filesystem::exists(path_or_name, error)) return path_or_name;
  const std::filesystem::path shipped =
      std::filesystem::path(workloads_folder()) / "trees" / (path_or_name + ".txt");
  if (std::filesystem::exists(shipped, error)) return shipped.string();
  return io_error(fmt::format("--trees: {}: no such file, and no shipped trees of that name", path_or_name));
}

}  // namespace cortex::bench
