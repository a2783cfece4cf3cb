// Problems of any operator from the command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/run/run_problem.h"
#include "graph/problem/typed.h"
#include "support/result.h"

namespace cortex::bench {

// `lines` and `option_lines` as typed, `lists` files or names of shipped ones. op: conv, matmul, rnn,
// recursive or empty: then the first word of a line, or of a list's first line, tells. Recursive and
// recurrent problems may be spread over several arguments (treelstm h256 mb10). `unstated`: types of the conv
// and matmul problems that state none.
Result<std::vector<RunProblem>> gather_run_problems(const std::vector<std::string>& lines,
                                                    const std::vector<std::string>& option_lines,
                                                    const std::vector<std::string>& lists,
                                                    const std::string& op,
                                                    const std::optional<Types>& unstated = {});

// The same, once with each of these types (--dt) for the problems that state none; without any, as they are.
Result<std::vector<RunProblem>> gather_in_types(const std::vector<std::string>& lines,
                                                const std::vector<std::string>& option_lines,
                                                const std::vector<std::string>& lists, const std::string& op,
                                                const std::vector<std::string>& dts);

// The backends of this build that know every operator among the problems.
std::vector<std::string> backends_for(const std::vector<RunProblem>& problems);

// A file, or the name of a shipped one: sentences-binary.
Result<std::string> find_trees(const std::string& path_or_name);

}  // namespace cortex::bench
